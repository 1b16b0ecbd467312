// Making elements. Text only ever becomes text nodes: nothing that an archive holds is read as markup.

// As properties these are read-only, or do not take what an attribute takes.
const attributesOnly = /^(aria-.*|list|role|spellcheck)$/;

/**
 * An element. `props`: `class`, `text`, `on` (event name to handler), `data` (data attributes); properties of the
 * element where it has them, attributes otherwise. `false`, `null` and `undefined` leave a property out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "on") for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && !attributesOnly.test(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A button with a visible label. */
export function button(label, onClick, props = {}) {
  return h("button", { type: "button", ...props, on: { click: onClick, ...props.on } }, label);
}

/** Tells screen readers something that is seen elsewhere. Only the last of several in quick succession is said. */
export const announce = (() => {
  let timer = 0;
  return (text, delay = 150) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      document.getElementById("announcer").textContent = text;
    }, delay);
  };
})();

/** Arrow keys, Home and End move among the elements that `selector` finds in `container`. */
export function roveByArrows(container, selector, { horizontal = false } = {}) {
  container.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, ...(horizontal ? { ArrowRight: 1, ArrowLeft: -1 } : {}) };
    const isEnd = event.key === "Home" || event.key === "End";
    if (event.altKey || event.ctrlKey || event.metaKey || (!isEnd && !(event.key in steps))) return;
    const stops = [...container.querySelectorAll(selector)].filter((stop) => stop.offsetParent !== null);
    const at = stops.indexOf(document.activeElement.closest(selector));
    if (at < 0) return;
    const next = event.key === "Home" ? 0 : event.key === "End" ? stops.length - 1 : at + steps[event.key];
    if (!stops[next]) return;
    event.preventDefault();
    stops[next].focus();
  });
}

/** "1 image", "2 images". */
export function counted(count, noun, plural = `${noun}s`) {
  return `${Number(count).toLocaleString("en")} ${Number(count) === 1 ? noun : plural}`;
}

/** "3.4 MB". */
export function bytesText(count) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
