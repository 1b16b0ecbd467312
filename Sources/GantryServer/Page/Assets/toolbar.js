// The controls around the image. Each follows what the viewport says, so that keys, pointer and controls agree.
import { button, h } from "./dom.js";
import { text, tags } from "./dicom.js";
import { ctPresets, ownWindows, rounded } from "./window.js";

const tools = [["window", "Window", "W"], ["scroll", "Scroll", "S"], ["pan", "Pan", "P"], ["zoom", "Zoom", "Z"]];

/** Tools, window and zoom. */
export function toolbar(viewport, { modality, extras }) {
  const choices = tools.map(([name, label, key]) => h("label", { title: `${label} (${key})` },
    h("input", { type: "radio", name: "tool", value: name, on: { change: () => viewport.choose(name) } }), h("span", { text: label })));
  const center = windowInput("Centre", "window-center", (value) => change({ center: value }));
  const width = windowInput("Width", "window-width", (value) => change({ width: value }));
  const presets = h("select", { "aria-label": "Window presets", on: { change: () => {
    const chosen = presetList()[presets.selectedIndex - 1];
    viewport.setWindow(chosen ?? null);
  } } });
  const shown = { list: null };

  function change(part) {
    const from = viewport.shownWindow ?? { center: 0, width: 1 };
    viewport.setWindow({ ...from, ...part });
  }

  function presetList() {
    const own = viewport.dataset && viewport.canWindow ? ownWindows(viewport.dataset, viewport.item.frame) : [];
    return [...own, ...(modality === "CT" ? ctPresets : [])];
  }

  const info = button("Text", () => viewport.setTextShown(!viewport.showsText), { title: "Text on the image (I)" });
  const windowGroup = h("div", { class: "group", role: "group", "aria-label": "Window" }, presets, center.element, width.element);
  const imageGroup = [
    h("fieldset", { class: "segmented" }, h("legend", { class: "unseen", text: "Pointer tool" }), choices),
    windowGroup,
    h("div", { class: "group", role: "group", "aria-label": "Zoom" },
      button("−", () => viewport.zoom(0.8), { "aria-label": "Zoom out", title: "Zoom out (−)" }),
      button("+", () => viewport.zoom(1.25), { "aria-label": "Zoom in", title: "Zoom in (+)" }),
      button("Fit", () => viewport.fit(), { title: "Fit (0)" }),
      button("Reset", () => viewport.reset(), { title: "Own window, fitted (R)" }),
      info)];
  const element = h("div", { class: "toolbar", role: "group", "aria-label": "Tools" }, imageGroup, h("div", { class: "group end" }, extras));

  viewport.addEventListener("change", () => {
    for (const part of imageGroup) part.hidden = !viewport.isImage;
    windowGroup.hidden = !viewport.isImage || !viewport.canWindow;
    for (const choice of choices) {
      choice.hidden = choice.firstChild.value === "window" && !viewport.canWindow;
      choice.firstChild.checked = choice.firstChild.value === viewport.usedTool;
    }
    info.setAttribute("aria-pressed", String(viewport.showsText));
    const window = viewport.shownWindow;
    center.show(window && rounded(window.center));
    width.show(window && rounded(window.width));
    const list = presetList();
    const key = list.map((one) => one.name).join("|");
    if (key !== shown.list) {
      shown.list = key;
      presets.replaceChildren(h("option", { text: "Default" }), ...list.map((one) =>
        h("option", { text: `${one.name}  ${rounded(one.center)} / ${rounded(one.width)}` })),
        h("option", { text: "Custom", hidden: true }));
    }
    const at = viewport.window
      ? list.findIndex((one) => rounded(one.center) === viewport.window.center && rounded(one.width) === viewport.window.width) : -1;
    presets.selectedIndex = viewport.window && at < 0 ? list.length + 1 : at + 1;
  });
  return element;
}

function windowInput(label, id, onChange) {
  const input = h("input", { id, type: "number", step: "any", on: { change: () => {
    const value = input.valueAsNumber;
    if (Number.isFinite(value)) onChange(value);
  } } });
  return {
    element: h("span", { class: "number" }, h("label", { for: id, text: label.charAt(0), title: label, "aria-label": `Window ${label.toLowerCase()}` }), input),
    show(value) {
      if (document.activeElement !== input || value !== null) input.value = value ?? "";
    },
  };
}

/** Position in the stack, and playing. */
export function transport(viewport) {
  const slider = h("input", { type: "range", min: 1, max: 1, step: 1, value: 1, "aria-label": "Position", on: {
    input: () => viewport.go(slider.valueAsNumber - 1),
  } });
  const counter = h("output", { class: "counter mono" });
  const play = button("Play", () => viewport.togglePlaying(), { class: "play", title: "Play or pause (space)" });
  const rate = h("input", { type: "range", min: 1, max: 60, step: 1, id: "cine-rate", on: { input: () => {
    viewport.cine.rate = rate.valueAsNumber;
    rateText.textContent = `${viewport.cine.rate} fps`;
  } } });
  const rateText = h("span", { class: "fine mono" });
  const cine = h("div", { class: "group cine", role: "group", "aria-label": "Cine" },
    play, h("label", { for: "cine-rate", class: "unseen", text: "Frames per second" }), rate, rateText);
  const element = h("div", { class: "transport" },
    button("‹", () => viewport.scroll(-1), { "aria-label": "Previous image" }), slider,
    button("›", () => viewport.scroll(1), { "aria-label": "Next image" }), counter, cine);

  viewport.addEventListener("change", () => {
    const count = viewport.stack.items.length;
    element.hidden = !viewport.isImage || count < 2;
    slider.max = count;
    slider.value = viewport.index + 1;
    slider.setAttribute("aria-valuetext", viewport.positionText);
    counter.textContent = `${viewport.index + 1} / ${count}`;
    play.textContent = viewport.cine.isPlaying ? "Pause" : "Play";
    play.setAttribute("aria-pressed", String(viewport.cine.isPlaying));
    rate.value = viewport.cine.rate;
    rateText.textContent = `${viewport.cine.rate} fps`;
  });
  return element;
}

/** The modality of a series. */
export function modalityOf(series) {
  return text(series, tags.Modality);
}
