// What a pointer does on the image: the chosen tool with the left button, moving with the middle one, zooming with the right one;
// one finger for the tool, two for zooming and moving; the wheel scrolls, with Ctrl it zooms.

/** Listens on `surface`; `actions` has `tool()`, `window(dx, dy)`, `windowDone()`, `scroll(steps)`, `zoom(factor, point)`, `pan(dx, dy)`. */
export function listenToPointer(surface, actions) {
  const pointers = new Map();
  let pinch = null;
  let wheel = 0;
  let travelled = 0;

  const toolOf = (event) => (event.button === 1 || event.shiftKey ? "pan" : event.button === 2 ? "zoom" : actions.tool());

  surface.addEventListener("pointerdown", (event) => {
    if (pointers.size > 1 || event.target.closest("button, a, input")) return;
    surface.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, tool: toolOf(event), start: pointIn(event) });
    pinch = pointers.size === 2 ? span() : null;
    travelled = 0;
  });

  surface.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const dx = event.clientX - last.x;
    const dy = event.clientY - last.y;
    Object.assign(last, { x: event.clientX, y: event.clientY });
    if (pinch) {
      const now = span();
      actions.zoom(now.length / pinch.length, now.middle);
      actions.pan(now.middle.x - pinch.middle.x, now.middle.y - pinch.middle.y);
      pinch = now;
      return;
    }
    if (last.tool === "window") actions.window(dx, dy);
    else if (last.tool === "pan") actions.pan(dx, dy);
    else if (last.tool === "zoom") actions.zoom(1.008 ** -dy, last.start);
    else {
      travelled += dy;
      const steps = Math.trunc(travelled / 12);
      travelled -= steps * 12;
      if (steps !== 0) actions.scroll(steps);
    }
  });

  const release = (event) => {
    const last = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    pinch = null;
    if (last?.tool === "window") actions.windowDone();
  };
  surface.addEventListener("pointerup", release);
  surface.addEventListener("pointercancel", release);
  surface.addEventListener("contextmenu", (event) => event.preventDefault());

  surface.addEventListener("wheel", (event) => {
    event.preventDefault();
    const delta = event.deltaY * (event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 100 : 1);
    if (event.ctrlKey || event.metaKey) {
      actions.zoom(1.0015 ** -delta, pointIn(event));
      return;
    }
    // A notch of a mouse is a step; a touchpad's small movements add up to one.
    wheel = Math.sign(wheel) === Math.sign(delta) ? wheel + delta : delta;
    if (Math.abs(wheel) < 40) return;
    actions.scroll(Math.sign(wheel));
    wheel = 0;
  }, { passive: false });

  function pointIn(event) {
    const box = surface.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  function span() {
    const box = surface.getBoundingClientRect();
    const [one, other] = [...pointers.values()];
    return {
      length: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
      middle: { x: (one.x + other.x) / 2 - box.left, y: (one.y + other.y) / 2 - box.top },
    };
  }
}
