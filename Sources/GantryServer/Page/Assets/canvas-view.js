// An image on a canvas: fitted, zoomed, moved.

const least = 0.2;
const most = 20;

/** Draws one bitmap at a time, in the proportions of the image it stands for. */
export class CanvasView {
  #canvas;
  #context;
  #bitmap = null;
  #columns = 1;
  #height = 1;
  #frame = 0;
  zoom = 1;
  #x = 0;
  #y = 0;

  constructor(canvas, { onChange }) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.onChange = onChange;
    this.observer = new ResizeObserver(() => this.#resize());
    this.observer.observe(canvas.parentElement);
  }

  /** Shows a bitmap of an image with so many columns and rows, whose pixels are `aspect` times as high as wide. */
  show(bitmap, { columns, rows, aspect }) {
    this.#bitmap = bitmap;
    this.#columns = columns;
    this.#height = rows * aspect;
    this.#schedule();
  }

  /** Shows nothing. */
  clear() {
    this.#bitmap = null;
    this.#schedule();
  }

  /** Screen pixels for one column of the image. */
  get scale() {
    const box = this.#canvas.getBoundingClientRect();
    return Math.min(box.width / this.#columns, box.height / this.#height) * this.zoom;
  }

  /** Device pixels along the longer edge of what is shown. */
  get wantedEdge() {
    return Math.ceil(this.scale * Math.max(this.#columns, this.#height) * devicePixelRatio);
  }

  /** Zooms so that what is under a point of the canvas stays there; the middle without one. */
  zoomBy(factor, point) {
    const zoom = Math.min(most, Math.max(least, this.zoom * factor));
    const ratio = zoom / this.zoom;
    const box = this.#canvas.getBoundingClientRect();
    const x = point ? point.x - box.width / 2 : 0;
    const y = point ? point.y - box.height / 2 : 0;
    this.#x = x - (x - this.#x) * ratio;
    this.#y = y - (y - this.#y) * ratio;
    this.zoom = zoom;
    this.#changed();
  }

  /** Moves the image by screen pixels. */
  moveBy(x, y) {
    this.#x += x;
    this.#y += y;
    this.#changed();
  }

  /** Fits the whole image again. */
  reset() {
    this.zoom = 1;
    this.#x = 0;
    this.#y = 0;
    this.#changed();
  }

  dispose() {
    this.observer.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#bitmap = null;
  }

  #changed() {
    this.#schedule();
    this.onChange();
  }

  #resize() {
    const box = this.#canvas.parentElement.getBoundingClientRect();
    this.#canvas.width = Math.max(1, Math.round(box.width * devicePixelRatio));
    this.#canvas.height = Math.max(1, Math.round(box.height * devicePixelRatio));
    this.#draw();
    this.onChange();
  }

  #schedule() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { width, height } = this.#canvas;
    this.#context.fillStyle = "#000";
    this.#context.fillRect(0, 0, width, height);
    // A bitmap that was let go of meanwhile has no size.
    if (!this.#bitmap || this.#bitmap.width === 0) return;
    const scale = this.scale * devicePixelRatio;
    const w = this.#columns * scale;
    const h = this.#height * scale;
    this.#context.imageSmoothingEnabled = true;
    this.#context.imageSmoothingQuality = scale < 1 ? "high" : "medium";
    this.#context.drawImage(
      this.#bitmap, (width - w) / 2 + this.#x * devicePixelRatio, (height - h) / 2 + this.#y * devicePixelRatio, w, h);
  }
}
