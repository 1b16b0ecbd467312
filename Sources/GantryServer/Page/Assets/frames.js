// Rendered frames: fetched, decoded, and kept as long as there is room.
import { pathOf, request } from "./api.js";

const memory = 256e6;
const ahead = { still: [1, 2, 3, -1, -2, 4, -3], playing: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] };
const prefetches = 3;

/** A store of the frames of one study. A wish is `{ item, window, size }`; `size` is a longest edge, or 0 for all pixels. */
export class FrameStore {
  #place;
  #kept = new Map();
  #bytes = 0;
  #loads = new Map();

  constructor(place) {
    this.#place = place;
  }

  /** The decoded frame when it is at hand. */
  get(wish) {
    const key = keyOf(wish);
    const found = this.#kept.get(key);
    if (found) {
      // The one last used is the last to go.
      this.#kept.delete(key);
      this.#kept.set(key, found);
    }
    return found;
  }

  /** The decoded frame; joins a load that is already under way. `call off` its key to stop it. */
  load(wish) {
    const found = this.get(wish);
    if (found) return Promise.resolve(found);
    const key = keyOf(wish);
    const known = this.#loads.get(key);
    if (known) return known.promise;
    const controller = new AbortController();
    const promise = this.#fetch(wish, controller.signal).then((bitmap) => {
      this.#keep(key, bitmap);
      return bitmap;
    }).finally(() => this.#loads.delete(key));
    this.#loads.set(key, { promise, controller });
    return promise;
  }

  /** Stops a load that nobody wants any more. */
  callOff(wish) {
    this.#loads.get(keyOf(wish))?.controller.abort();
  }

  /** Fetches what comes next around a position, a few at a time, and lets go of prefetches that are no longer near. */
  prefetch(items, at, { direction, isPlaying, window, size }) {
    const steps = isPlaying ? ahead.playing : ahead.still;
    const near = steps.slice(0, Math.max(0, items.length - 1)).map((step) => {
      const index = at + step * direction;
      return isPlaying ? (index + items.length) % items.length : index;
    }).filter((index) => index >= 0 && index < items.length).map((index) => ({ item: items[index], window, size }));
    const wanted = new Set([keyOf({ item: items[at], window, size }), ...near.map(keyOf)]);
    for (const [key, load] of this.#loads) if (!wanted.has(key)) load.controller.abort();
    const next = () => {
      const wish = near.find((one) => !this.#kept.has(keyOf(one)) && !this.#loads.has(keyOf(one)));
      if (!wish || this.#loads.size >= prefetches || this.#plan !== wanted) return;
      this.load(wish).then(next, () => {});
      next();
    };
    this.#plan = wanted;
    next();
  }
  #plan = null;

  /** Stops everything and lets go of all frames. */
  clear() {
    this.#plan = null;
    for (const load of this.#loads.values()) load.controller.abort();
    for (const bitmap of this.#kept.values()) bitmap.close();
    this.#kept.clear();
    this.#bytes = 0;
  }

  async #fetch({ item, window, size }, signal) {
    const query = [];
    if (window) query.push(`window=${encodeURIComponent(`${window.center},${window.width},linear`)}`);
    if (size) query.push(`viewport=${size},${size}`);
    query.push("quality=92");
    const path = `${pathOf({ ...this.#place, instance: item.instance })}/frames/${item.frame}/rendered?${query.join("&")}`;
    const response = await request(path, { accept: "image/jpeg", signal });
    const blob = await response.blob();
    signal.throwIfAborted();
    return createImageBitmap(blob);
  }

  #keep(key, bitmap) {
    this.#kept.set(key, bitmap);
    this.#bytes += bitmap.width * bitmap.height * 4;
    for (const [oldest, other] of this.#kept) {
      if (this.#bytes <= memory || oldest === key) break;
      this.#kept.delete(oldest);
      this.#bytes -= other.width * other.height * 4;
      other.close();
    }
  }
}

function keyOf({ item, window, size }) {
  return `${item.instance}/${item.frame}/${window ? `${window.center},${window.width}` : ""}/${size}`;
}
