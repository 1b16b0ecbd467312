// The image: which one of a stack, in which window, how large; and what is written around it.
import { announce, h } from "./dom.js";
import { metadata, pathOf } from "./api.js";
import { CanvasView } from "./canvas-view.js";
import { Cine } from "./cine.js";
import { documentPanel } from "./documents.js";
import { dateText, nameOf, number, sexText, studyMoment, tags, text } from "./dicom.js";
import { FrameStore } from "./frames.js";
import { listenToPointer } from "./gestures.js";
import { isAbort, problemPanel } from "./problem.js";
import { frameRate, pixelAspect } from "./stack.js";
import { seriesTitle } from "./study.js";
import { fullWindow, isWindowable, ownWindows, rounded } from "./window.js";

const patience = 150;
const largeEdge = 2048;

/** Tells "change" whenever something that is shown elsewhere may be different. */
export class Viewport extends EventTarget {
  stack = { kind: "images", items: [] };
  index = 0;
  /** The window that was chosen; `null` for the object's own. */
  window = null;
  tool = matchMedia("(pointer: coarse)").matches ? "scroll" : "window";
  showsText = true;
  /** The data set of the object in sight, once it is there. */
  dataset = null;

  #place;
  #study;
  #series;
  #frames;
  #view;
  #datasets = new Map();
  #life = new AbortController();
  #direction = 1;
  #isStale = false;
  #isLoading = false;
  #loading = null;
  #staleTimer = 0;
  #restTimer = 0;
  #drag = null;

  /** `place` names study and series; the data sets are those that searches gave. */
  constructor(place, study, series) {
    super();
    this.#place = place;
    this.#study = study;
    this.#series = series;
    this.#frames = new FrameStore(place);
    this.canvas = h("canvas", { role: "img", "aria-label": "Image" });
    this.corners = Object.fromEntries(["tl", "tr", "bl", "br"].map((corner) => [corner, h("div", { class: `corner ${corner}` })]));
    this.message = h("div", { class: "message" });
    this.element = h("div", {
      class: "viewport", tabIndex: 0, role: "group", "aria-label": "Image viewer", "aria-describedby": "viewer-keys",
      on: { keydown: (event) => this.#key(event) },
    }, this.canvas, Object.values(this.corners), h("div", { class: "busy", "aria-hidden": "true" }), this.message);
    this.#view = new CanvasView(this.canvas, { onChange: () => this.#zoomed() });
    this.cine = new Cine({ advance: () => this.#advance(), onChange: () => this.#changed() });
    listenToPointer(this.element, {
      tool: () => this.usedTool,
      window: (dx, dy) => this.windowBy(dx, dy),
      windowDone: () => this.windowDone(),
      scroll: (steps) => this.scroll(steps),
      zoom: (factor, point) => this.zoom(factor, point),
      pan: (dx, dy) => this.#view.moveBy(dx, dy),
    });
  }

  get item() {
    return this.stack.items[this.index];
  }

  get path() {
    return pathOf({ ...this.#place, instance: this.item?.instance });
  }

  get isImage() {
    return this.stack.kind !== "document";
  }

  get canWindow() {
    return this.isImage && (this.dataset === null || isWindowable(this.dataset));
  }

  /** What dragging does: colour has no window. */
  get usedTool() {
    return this.tool === "window" && !this.canWindow ? "scroll" : this.tool;
  }

  /** The window in use as far as it is known, and where it comes from. */
  get shownWindow() {
    if (this.window) return this.window;
    return this.dataset && this.canWindow ? ownWindows(this.dataset, this.item.frame)[0] ?? null : null;
  }

  get zoomPercent() {
    return Math.round(this.#view.scale * 100);
  }

  /** Shows a stack from a position on. */
  open(stack, index) {
    this.cine.pause();
    this.#frames.clear();
    this.stack = stack;
    this.index = index;
    this.window = null;
    this.#drag = null;
    this.dataset = null;
    this.message.replaceChildren();
    this.#view.clear();
    this.#view.reset();
    this.element.dataset.kind = stack.kind;
    this.#loadDataset().then(() => {
      if (this.stack !== stack || !this.dataset) return;
      this.cine.rate = Math.min(60, Math.max(1, Math.round(frameRate(this.dataset) ?? 15)));
      if (!this.isImage) this.#showDocument();
      this.#changed();
    });
    if (this.isImage) this.#request();
    this.#changed();
  }

  /** Shows another position of the stack. */
  go(index) {
    const bounded = Math.min(this.stack.items.length - 1, Math.max(0, index));
    if (bounded === this.index) return;
    this.cine.pause();
    this.#direction = bounded > this.index ? 1 : -1;
    this.index = bounded;
    this.#request();
    this.#changed();
  }

  scroll(steps) {
    this.go(this.index + steps);
  }

  zoom(factor, point) {
    this.#view.zoomBy(factor, point);
  }

  /** Fits the image and gives it its own window back. */
  reset() {
    this.#view.reset();
    this.setWindow(null);
  }

  fit() {
    this.#view.reset();
  }

  /** Chooses a window; `null` for the object's own. */
  setWindow(window) {
    this.window = window && { center: rounded(window.center), width: Math.max(1, rounded(window.width)) };
    this.#request();
    this.#changed();
  }

  /** Widens the window by `dx` and raises its centre by `dy`, in screen pixels since the last call: 400 are its width. */
  windowBy(dx, dy) {
    if (!this.canWindow) return;
    const isFirst = this.#drag === null;
    this.#drag ??= { from: this.shownWindow, dx: 0, dy: 0 };
    this.#drag.dx += dx;
    this.#drag.dy += dy;
    if (this.#drag.from) this.#applyDrag();
    else if (isFirst) this.#findDragStart(this.#drag);
  }

  /** Ends what `windowBy` began. */
  windowDone() {
    if (this.#drag?.from) this.#drag = null;
    else if (this.#drag) this.#drag.isOver = true;
  }

  #applyDrag() {
    const { from, dx, dy } = this.#drag;
    const step = Math.max(0.01, from.width / 400);
    this.setWindow({ center: from.center + dy * step, width: from.width + dx * Math.max(step, 0.25) });
  }

  /** An object that names no window: what it has between black and white is found first. */
  async #findDragStart(drag) {
    const found = await this.#findWindow();
    if (this.#drag !== drag) return;
    if (found) {
      drag.from = found;
      this.#applyDrag();
    }
    if (drag.isOver || !found) this.#drag = null;
  }

  setTextShown(isShown) {
    this.showsText = isShown;
    this.#changed();
  }

  dispose() {
    this.cine.pause();
    this.#life.abort();
    clearTimeout(this.#restTimer);
    clearTimeout(this.#staleTimer);
    this.#view.dispose();
    this.#frames.clear();
  }

  // MARK: what is drawn

  #wish() {
    const { item } = this;
    const edge = Math.max(item.rows, item.columns);
    const wanted = Math.ceil(this.#view.wantedEdge / 512) * 512;
    return { item, window: this.canWindow ? this.window : null, size: edge > largeEdge && wanted < edge ? Math.max(512, wanted) : 0 };
  }

  /** One request at a time; the newest wish is the next one, and a request that nobody waits for is soon called off. */
  #request() {
    if (!this.isImage || !this.item) return;
    clearTimeout(this.#restTimer);
    const found = this.#frames.get(this.#wish());
    if (found) this.#draw(found);
    this.#isStale = !found;
    if (found && !this.#isLoading) {
      this.#rest();
    } else if (!this.#isLoading) {
      this.#pump();
    } else if (!this.#staleTimer && this.#loading?.item !== this.item) {
      // Another window of the same image is let come, so that a slow server shows something while the pointer moves.
      this.#staleTimer = setTimeout(() => {
        this.#staleTimer = 0;
        if (this.#loading && this.#loading.item !== this.item) this.#frames.callOff(this.#loading);
      }, patience);
    }
  }

  async #pump() {
    this.#isLoading = true;
    const slow = setTimeout(() => this.element.classList.add("loading"), 250);
    while (this.#isStale && !this.#life.signal.aborted) {
      this.#isStale = false;
      const wish = this.#wish();
      this.#loading = wish;
      try {
        const bitmap = await this.#frames.load(wish);
        if (this.stack.items.includes(wish.item)) this.#draw(bitmap, wish);
      } catch (error) {
        if (isAbort(error) || this.#isStale) continue;
        this.#fail(error);
      } finally {
        clearTimeout(this.#staleTimer);
        this.#staleTimer = 0;
        this.#loading = null;
      }
    }
    clearTimeout(slow);
    this.element.classList.remove("loading");
    this.#isLoading = false;
    if (!this.#life.signal.aborted) this.#rest();
  }

  #draw(bitmap, { item, window } = this.#wish()) {
    this.message.replaceChildren();
    this.#view.show(bitmap, {
      columns: item.columns, rows: item.rows, aspect: this.dataset ? pixelAspect(this.dataset, item.frame) : 1,
    });
    this.element.dataset.window = window ? `${window.center},${window.width}` : "";
    this.element.dataset.drawn = `${item.instance}/${item.frame}`;
  }

  #fail(error) {
    this.#view.clear();
    this.cine.pause();
    this.message.replaceChildren(problemPanel(error, { retry: () => {
      this.message.replaceChildren();
      this.#request();
    } }));
  }

  async #showDocument() {
    const { item } = this;
    try {
      const panel = await documentPanel(this.path, this.dataset, this.#life.signal);
      if (this.item === item) this.message.replaceChildren(panel);
    } catch (error) {
      if (!isAbort(error)) this.message.replaceChildren(problemPanel(error));
    }
  }

  /** The next frame of a clip, for the cine. */
  async #advance() {
    this.index = (this.index + 1) % this.stack.items.length;
    this.#direction = 1;
    const wish = this.#wish();
    this.#frames.prefetch(this.stack.items, this.index, { direction: 1, isPlaying: true, window: wish.window, size: wish.size });
    try {
      const bitmap = await this.#frames.load(wish);
      if (this.stack.items.includes(wish.item)) this.#draw(bitmap, wish);
    } catch (error) {
      if (!isAbort(error)) this.#fail(error);
      throw error;
    }
    this.#changed();
  }

  /** When nothing has changed for a moment: neighbours, the data set, a word for screen readers. */
  #rest() {
    clearTimeout(this.#restTimer);
    if (this.cine.isPlaying || !this.item || !this.isImage) return;
    const wish = this.#wish();
    this.#restTimer = setTimeout(() => {
      this.#frames.prefetch(this.stack.items, this.index, {
        direction: this.#direction, isPlaying: false, window: wish.window, size: wish.size,
      });
      this.#loadDataset().then(() => this.#changed());
      announce(this.positionText, 300);
    }, 120);
  }

  // MARK: what is known

  /** "Image 3 of 24", "Frame 3 of 60". */
  get positionText() {
    const word = this.stack.kind === "clip" ? "Frame" : "Image";
    return this.isImage ? `${word} ${this.index + 1} of ${this.stack.items.length}` : "Object without an image";
  }

  async #loadDataset() {
    const { item, path } = this;
    if (!item) return;
    let wanted = this.#datasets.get(item.instance);
    if (!wanted) {
      wanted = metadata(path, this.#life).catch((error) => {
        this.#datasets.delete(item.instance);
        if (!isAbort(error) && this.item === item && !this.isImage) this.#fail(error);
        return null;
      });
      this.#datasets.set(item.instance, wanted);
      if (this.#datasets.size > 64) this.#datasets.delete(this.#datasets.keys().next().value);
    }
    const dataset = await wanted;
    if (!dataset || this.item?.instance !== item.instance || this.dataset === dataset) return;
    const isFirst = this.dataset === null;
    this.dataset = dataset;
    // The proportions of the pixels are known only now.
    const drawn = this.isImage && this.#frames.get(this.#wish());
    if (isFirst && drawn) this.#draw(drawn);
    this.#changed();
  }

  async #findWindow() {
    try {
      await this.#loadDataset();
      if (!this.dataset || !this.canWindow) return null;
      return this.shownWindow ?? (await fullWindow(this.dataset, this.path, this.item.frame, this.#life.signal));
    } catch {
      return null;
    }
  }

  #zoomed() {
    if (this.item && this.isImage && Math.max(this.item.rows, this.item.columns) > largeEdge) this.#request();
    this.#changed();
  }

  #changed() {
    this.#write();
    this.dispatchEvent(new Event("change"));
  }

  #write() {
    const { dataset, item } = this;
    for (const corner of Object.values(this.corners)) corner.hidden = !this.showsText || !this.isImage;
    this.canvas.setAttribute("aria-label", `${seriesTitle(this.#series)}, ${this.positionText}`);
    if (!this.showsText || !item || !this.isImage) return;
    const born = dateText(text(this.#study, tags.PatientBirthDate));
    const window = this.shownWindow;
    const location = dataset && number(dataset, tags.SliceLocation);
    const thickness = dataset && number(dataset, tags.SliceThickness);
    const lines = {
      tl: [nameOf(this.#study, tags.PatientName), text(this.#study, tags.PatientID), [born, sexText(this.#study)].filter(Boolean).join(" · ")],
      tr: [text(this.#study, tags.StudyDescription), seriesTitle(this.#series), studyMoment(this.#study)],
      bl: [
        this.positionText,
        [location !== null && dataset && `Location ${location.toFixed(1)} mm`, thickness && `Thickness ${thickness} mm`].filter(Boolean).join(" · ")],
      br: [
        this.canWindow && (window ? `C ${rounded(window.center)}  W ${rounded(window.width)}` : "Window automatic"),
        `${item.columns} × ${item.rows} · ${this.zoomPercent} %`],
    };
    for (const [corner, words] of Object.entries(lines)) {
      const shown = words.filter(Boolean);
      const box = this.corners[corner];
      if (box.textContent !== shown.join("")) box.replaceChildren(...shown.map((line) => h("div", { text: line })));
    }
  }

  // MARK: keys

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.element) return;
    const byWindow = { ArrowUp: [0, -10], ArrowDown: [0, 10], ArrowLeft: [-10, 0], ArrowRight: [10, 0] };
    const actions = {
      ArrowUp: () => this.scroll(-1), ArrowLeft: () => this.scroll(-1), ArrowDown: () => this.scroll(1), ArrowRight: () => this.scroll(1),
      PageUp: () => this.scroll(-10), PageDown: () => this.scroll(10), Home: () => this.go(0), End: () => this.go(this.stack.items.length - 1),
      "+": () => this.zoom(1.25), "=": () => this.zoom(1.25), "-": () => this.zoom(0.8), "0": () => this.fit(),
      " ": () => this.togglePlaying(), r: () => this.reset(), i: () => this.setTextShown(!this.showsText),
      w: () => this.choose("window"), p: () => this.choose("pan"), z: () => this.choose("zoom"), s: () => this.choose("scroll"),
    };
    const action = event.shiftKey && event.key in byWindow ? () => this.#windowByKey(...byWindow[event.key]) : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  #windowByKey(dx, dy) {
    this.windowBy(dx, dy);
    this.windowDone();
  }

  togglePlaying() {
    if (this.cine.isPlaying) this.cine.pause();
    else if (this.isImage && this.stack.items.length > 1) this.cine.play();
    if (!this.cine.isPlaying) this.#rest();
  }

  choose(tool) {
    this.tool = tool;
    this.#changed();
  }
}
