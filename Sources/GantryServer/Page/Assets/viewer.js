// A series on the screen: beside the image the other series of the study, and the data set where it is wanted.
import { announce, button, counted, h, roveByArrows } from "./dom.js";
import { instancesOf, pathOf, Problem, seriesOf, study as findStudy } from "./api.js";
import { datasetPanel } from "./dataset.js";
import { nameOf, tags, text } from "./dicom.js";
import { instanceLink } from "./download.js";
import { isAbort, problemPanel } from "./problem.js";
import { hashOf } from "./router.js";
import { stacksOf, stackTitle } from "./stack.js";
import { seriesTitle, thumbnail } from "./study.js";
import { modalityOf, toolbar, transport } from "./toolbar.js";
import { Viewport } from "./viewport.js";

export function viewerView(first) {
  const life = new AbortController();
  const strip = h("aside", { class: "strip", "aria-label": "Series" });
  const stage = h("section", { class: "stage", "aria-label": "Image" });
  const inspector = h("aside", { class: "inspector", "aria-label": "Data set", hidden: true });
  const element = h("div", { class: "viewer" }, h("h1", { class: "unseen", text: "Viewer" }), strip, stage, inspector);
  const uid = first.study;
  let route = first;
  let study = null;
  let series = [];
  let stacks = [];
  let viewport = null;

  async function load() {
    stage.replaceChildren(h("p", { class: "waiting", text: "Loading the series …" }));
    try {
      [study, series] = await Promise.all([findStudy(uid, life), seriesOf(uid, life)]);
      await openSeries();
    } catch (error) {
      fail(error);
    }
  }

  function fail(error) {
    if (isAbort(error)) return;
    viewport?.dispose();
    viewport = null;
    stage.replaceChildren(problemPanel(error, { retry: load, actions: [h("a", { class: "button", href: hashOf({ study: uid }) }, "Study")] }));
  }

  async function openSeries() {
    const wanted = route;
    const current = series.find((one) => text(one, tags.SeriesInstanceUID) === wanted.series);
    drawStrip();
    const instances = current ? await instancesOf(uid, wanted.series, life) : [];
    if (route !== wanted) return;
    if (instances.length === 0) {
      throw new Problem({ status: 404, title: "The study does not hold this series", detail: `There is no series ${wanted.series}.`,
        advice: "It may have been deleted. Go back to the study." });
    }
    stacks = stacksOf(instances);
    viewport?.dispose();
    viewport = new Viewport({ study: uid, series: wanted.series }, study, current);
    stage.replaceChildren(
      toolbar(viewport, { modality: modalityOf(current), extras: extras() }), viewport.element, transport(viewport), keys());
    viewport.addEventListener("change", follow);
    const place = placeOf(wanted);
    if (!place) {
      throw new Problem({ status: 404, title: "The series does not hold this object", detail: "The address names an object or frame that is not there.",
        advice: "It may have been deleted. Go back to the study." });
    }
    viewport.open(stacks[place.stack], place.index);
    drawStrip();
    showDataset(Boolean(wanted.dataset));
    viewport.element.focus({ preventScroll: true });
    announce(`${seriesTitle(current)}, ${viewport.positionText}`);
  }

  /** Where an instance and frame are; the beginning without one. */
  function placeOf({ instance, frame = 1 }) {
    if (!instance) return { stack: 0, index: 0 };
    for (const [at, stack] of stacks.entries()) {
      const index = stack.items.findIndex((item) => item.instance === instance && item.frame === frame);
      if (index >= 0) return { stack: at, index };
    }
    return null;
  }

  // MARK: around the image

  let link = null;
  const datasetButton = button("Data set", () => showDataset(inspector.hidden), { "aria-expanded": "false" });

  function extras() {
    link = h("span", {});
    return [datasetButton, link];
  }

  /** Keeps address, links and data set with what is in sight. */
  let followed = "";
  let addressTimer = 0;
  function follow() {
    const { item } = viewport;
    const key = `${item.instance}/${item.frame}`;
    if (key === followed) {
      refreshDataset();
      return;
    }
    const isOther = followed.split("/")[0] !== item.instance;
    followed = key;
    clearTimeout(addressTimer);
    // Browsers allow only so many changes of the address in a while.
    addressTimer = setTimeout(writeAddress, 200);
    if (isOther) link.replaceChildren(instanceLink("Download", viewport.path, item.instance, { class: "button" }));
    refreshDataset();
  }

  function writeAddress() {
    const { item } = viewport;
    route = { ...route, instance: item.instance, frame: item.frame, dataset: !inspector.hidden };
    history.replaceState(null, "", hashOf(route));
  }

  let inspected = null;
  async function refreshDataset() {
    if (inspector.hidden || !viewport.dataset || inspected === viewport.dataset) return;
    const dataset = viewport.dataset;
    inspected = dataset;
    const panel = await datasetPanel(dataset);
    if (inspected !== dataset) return;
    const filter = inspector.querySelector("input")?.value;
    inspector.replaceChildren(
      h("div", { class: "line" }, h("h2", { text: "Data set" }), button("Close", () => {
        showDataset(false);
        datasetButton.focus();
      }, { class: "quiet" })), panel);
    if (filter) {
      const input = inspector.querySelector("input");
      input.value = filter;
      input.dispatchEvent(new Event("input"));
    }
  }

  function showDataset(isShown) {
    inspector.hidden = !isShown;
    datasetButton.setAttribute("aria-expanded", String(isShown));
    element.classList.toggle("inspecting", isShown);
    if (viewport?.item) writeAddress();
    refreshDataset();
  }

  function drawStrip() {
    const list = h("ul", {}, series.map((one) => {
      const seriesUID = text(one, tags.SeriesInstanceUID);
      const isCurrent = seriesUID === route.series;
      return h("li", {},
        h("a", { class: "series", href: hashOf({ study: uid, series: seriesUID }), "aria-current": isCurrent ? "true" : null },
          thumbnail(pathOf({ study: uid, series: seriesUID }), one, 96),
          h("span", { class: "words" },
            h("span", { class: "title", text: seriesTitle(one) }),
            h("span", { class: "fine", text: `${text(one, tags.Modality)} · ${counted(text(one, tags.NumberOfSeriesRelatedInstances) || 0, "object")}` }))),
        isCurrent && viewport && stacks.length > 1 && stackList());
    }));
    roveByArrows(list, "a, button");
    strip.replaceChildren(
      h("a", { class: "back", href: hashOf({ study: uid }) }, "‹ ", nameOf(study, tags.PatientName) || "Study"), list);
  }

  function stackList() {
    return h("ul", { class: "stacks", "aria-label": "Objects of the series" }, stacks.map((stack) => h("li", {},
      button(stackTitle(stack), () => {
        viewport.open(stack, 0);
        drawStrip();
        viewport.element.focus({ preventScroll: true });
      }, { "aria-current": viewport.stack === stack ? "true" : null }))));
  }

  function keys() {
    return h("details", { class: "keys" }, h("summary", { text: "Keys and pointer" }),
      h("p", { id: "viewer-keys" },
        "Arrow keys, Page Up and Down, Home and End scroll. Shift with arrow keys changes the window. Plus, minus and 0 zoom. "
        + "Space plays. R resets, I hides the text. W, S, P and Z choose what dragging does. "
        + "The wheel scrolls, with Ctrl it zooms; the right button zooms, the middle one or Shift moves."));
  }

  return {
    title: "Viewer", element,
    shown: load,
    /** A change of the address within the study; `false` when it leads elsewhere. */
    update(next) {
      if (next.study !== uid || !study) return false;
      const isSame = next.series === route.series && viewport;
      route = next;
      if (!isSame) {
        followed = "";
        openSeries().catch(fail);
        return true;
      }
      const place = placeOf(next);
      if (!place) return false;
      if (viewport.stack !== stacks[place.stack]) viewport.open(stacks[place.stack], place.index);
      else viewport.go(place.index);
      drawStrip();
      showDataset(Boolean(next.dataset));
      return true;
    },
    dispose() {
      life.abort();
      clearTimeout(addressTimer);
      viewport?.dispose();
    },
  };
}
