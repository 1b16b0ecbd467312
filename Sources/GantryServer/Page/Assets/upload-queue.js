// Files on their way into the archive: in batches, two at a time, each with its own fate.
import { sopInstanceUID } from "./files.js";
import { store, verdicts } from "./store.js";

const batchBytes = 8_000_000;
const batchFiles = 20;
const parallel = 2;
const attempts = 4;

/** All uploads since the page was opened. Tells "change" when something happened, at most once a frame. */
export class UploadQueue extends EventTarget {
  /** What was added, oldest first: `{ id, file, path, size, state, share, study, reason, warning, problem }`. */
  items = [];
  #waiting = [];
  #running = 0;
  #controller = new AbortController();
  #frame = 0;

  /** Adds files and starts. */
  add(files) {
    for (const file of files) {
      const item = { id: this.items.length, file, path: file.shownPath ?? file.name, size: file.size, state: "waiting", share: 0 };
      this.items.push(item);
      this.#waiting.push(item);
    }
    this.#changed();
    this.#fill();
  }

  /** How many files and bytes there are, by state. */
  get counts() {
    const counts = { waiting: 0, sending: 0, stored: 0, failed: 0, cancelled: 0, warned: 0, bytes: 0, sentBytes: 0, all: this.items.length };
    for (const item of this.items) {
      counts[item.state] += 1;
      if (item.state === "stored" && item.warning) counts.warned += 1;
      counts.bytes += item.size;
      const share = item.state === "sending" ? item.share : item.state === "waiting" ? 0 : 1;
      counts.sentBytes += item.size * share;
    }
    counts.open = counts.waiting + counts.sending;
    return counts;
  }

  /** Calls off what is not done. What was stored stays stored. */
  cancel() {
    for (const item of this.#waiting) item.state = "cancelled";
    this.#waiting = [];
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#changed();
  }

  /** Sends again what failed or was called off. */
  retry() {
    for (const item of this.items) {
      if (item.state !== "failed" && item.state !== "cancelled") continue;
      Object.assign(item, { state: "waiting", share: 0, reason: undefined, problem: undefined });
      this.#waiting.push(item);
    }
    this.#changed();
    this.#fill();
  }

  /** Forgets everything that is done. */
  clear() {
    this.items = this.items.filter((item) => item.state === "waiting" || item.state === "sending");
    this.#changed();
  }

  #changed() {
    if (this.#frame) return;
    this.#frame = setTimeout(() => {
      this.#frame = 0;
      this.dispatchEvent(new Event("change"));
    }, 50);
  }

  #fill() {
    while (this.#running < parallel && this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      this.#running += 1;
      this.#send(batch).finally(() => {
        this.#running -= 1;
        this.#changed();
        this.#fill();
      });
    }
  }

  #nextBatch() {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && count < batchFiles) {
      const item = this.#waiting[count];
      if (count > 0 && (item.isAlone || this.#waiting[0].isAlone || bytes + item.size > batchBytes)) break;
      bytes += item.size;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #send(batch) {
    const { signal } = this.#controller;
    for (const item of batch) item.state = "sending";
    this.#changed();
    try {
      const uids = await Promise.all(batch.map((item) => sopInstanceUID(item.file)));
      const module = await this.#storeWithPatience(batch, signal);
      verdicts(module, uids).forEach((verdict, at) => {
        const item = batch[at];
        if (verdict) {
          Object.assign(item, verdict, { share: 1 });
        } else if (item.isAlone) {
          Object.assign(item, { state: "failed", share: 1, problem: "The answer does not tell what became of it" });
        } else {
          // Sent alone, its answer can only be about it. Storing twice what is the same changes nothing.
          Object.assign(item, { state: "waiting", share: 0, isAlone: true });
          this.#waiting.push(item);
        }
      });
    } catch (error) {
      for (const item of batch) {
        if (signal.aborted) item.state = "cancelled";
        else if (error.name === "NotFoundError" || error.name === "NotReadableError") this.#isolate(item, batch, "The file cannot be read");
        else if (error.status === 413 && batch.length > 1) this.#isolate(item, batch, "");
        else Object.assign(item, { state: "failed", problem: [error.message, error.detail].filter(Boolean).join(". "), requestID: error.requestID });
      }
    }
  }

  /** Sends the files of a batch that failed as a whole one by one. */
  #isolate(item, batch, problem) {
    if (batch.length === 1) {
      Object.assign(item, { state: "failed", problem });
      return;
    }
    Object.assign(item, { state: "waiting", share: 0, isAlone: true });
    this.#waiting.push(item);
  }

  /** A server that says it is busy is asked again when it says. */
  async #storeWithPatience(batch, signal) {
    const onProgress = (share) => {
      for (const item of batch) item.share = share;
      this.#changed();
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await store(batch.map((item) => item.file), { signal, onProgress });
      } catch (error) {
        if (error.status !== 503 || attempt === attempts || signal.aborted) throw error;
        await new Promise((resolve) => {
          setTimeout(resolve, Math.min(30, error.retryAfter || attempt) * 1000);
          signal.addEventListener("abort", resolve, { once: true });
        });
      }
    }
  }
}
