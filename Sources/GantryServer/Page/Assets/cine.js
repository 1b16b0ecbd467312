// Playing frames one after another: the next one is shown when it is due and there, none is left out.

export class Cine {
  #timer = 0;
  #due = 0;

  /** `advance()` shows the next frame and resolves when it can be seen. */
  constructor({ advance, onChange }) {
    this.advance = advance;
    this.onChange = onChange;
    this.rate = 15;
  }

  get isPlaying() {
    return this.#timer !== 0;
  }

  play() {
    if (this.isPlaying) return;
    this.#due = performance.now();
    this.#next();
    this.onChange();
  }

  pause() {
    if (!this.isPlaying) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.onChange();
  }

  #next() {
    const now = performance.now();
    // Late frames are not caught up with.
    this.#due = Math.max(this.#due + 1000 / this.rate, now);
    const timer = setTimeout(async () => {
      try {
        await this.advance();
      } catch {
        if (this.#timer === timer) this.pause();
        return;
      }
      if (this.#timer === timer) this.#next();
    }, this.#due - now);
    this.#timer = timer;
  }
}
