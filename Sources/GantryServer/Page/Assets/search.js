// The list of studies and the form that narrows it. What is searched for stays out of the address: it may name a patient.
import { announce, button, counted, h, roveByArrows } from "./dom.js";
import { modalities, search } from "./api.js";
import { dateText, nameOf, sexText, studyMoment, tags, text } from "./dicom.js";
import { isAbort, problemPanel } from "./problem.js";
import { hashOf } from "./router.js";

const pageSize = 50;
const knownModalities = ["CR", "CT", "DX", "ES", "IO", "MG", "MR", "NM", "OP", "OT", "PT", "PX", "RF", "RTDOSE", "SC", "SM", "SR", "US", "XA", "XC"];
const noFilters = { name: "", id: "", accession: "", modality: "", from: "", to: "" };

// Kept while the page is open, so that coming back from a study finds the list as it was.
const kept = { filters: { ...noFilters }, offset: 0, opened: "", scroll: 0 };

/** The QIDO-RS keys of what the form holds. */
export function keysOf(filters) {
  const date = (day) => day.replaceAll("-", "");
  return [
    ["PatientName", nameKey(filters.name)],
    ["PatientID", filters.id.trim()],
    ["AccessionNumber", filters.accession.trim()],
    ["ModalitiesInStudy", filters.modality.trim().toUpperCase().replace(/[\s,]+/g, ",")],
    ["StudyDate", filters.from === filters.to ? date(filters.from) : `${date(filters.from)}-${date(filters.to)}`],
  ];
}

/** "smith, jo" becomes "smith^jo*": the family name first, and anything after what was typed. */
export function nameKey(typed) {
  const name = typed.trim().replace(/\s*,\s*/g, "^");
  return name === "" || /[*?]/.test(name) ? name : `${name}*`;
}

export function searchView() {
  const results = h("section", { class: "results", "aria-label": "Studies", "aria-busy": "false" });
  const form = filterForm(() => {
    kept.offset = 0;
    run();
  });
  const element = h("div", { class: "page wide" }, h("h1", { class: "unseen", text: "Studies" }), form, results);
  let current = null;

  async function run({ movesFocus = false } = {}) {
    current?.abort();
    const controller = new AbortController();
    current = controller;
    results.setAttribute("aria-busy", "true");
    const slow = setTimeout(() => results.classList.add("loading"), 150);
    if (!results.hasChildNodes()) results.append(skeleton());
    const { filters, offset } = kept;
    try {
      const keys = [...keysOf(filters), ["includefield", "StudyDescription"], ["limit", pageSize], ["offset", offset]];
      const found = await search("/studies", keys, { signal: controller.signal });
      if (found.matches.length === 0 && offset > 0) {
        kept.offset = 0;
        run();
        return;
      }
      results.replaceChildren(...list(found, offset, isNarrowed(filters), (next) => {
        kept.offset = next;
        run({ movesFocus: true });
      }));
      announce(found.matches.length === 0 ? "No studies" : rangeText(found, offset));
      if (movesFocus) {
        scrollTo(0, 0);
        results.querySelector("tbody a")?.focus({ preventScroll: true });
      }
    } catch (error) {
      if (isAbort(error)) return;
      results.replaceChildren(problemPanel(error, { retry: () => run() }));
    } finally {
      clearTimeout(slow);
      if (current === controller) {
        results.classList.remove("loading");
        results.setAttribute("aria-busy", "false");
      }
    }
  }

  /** Coming back from a study, its row is where it was, and has the focus. */
  async function runAndReturn() {
    const { opened, scroll } = kept;
    await run();
    const row = opened && results.querySelector(`a[href="${opened}"]`);
    if (!row || !["MAIN", "BODY"].includes(document.activeElement.tagName)) return;
    scrollTo(0, scroll);
    row.focus({ preventScroll: true });
  }

  return {
    title: "Studies", element, shown: runAndReturn,
    dispose() {
      current?.abort();
      kept.opened = location.hash;
      kept.scroll = scrollY;
    },
  };
}

function isNarrowed(filters) {
  return Object.values(filters).some((value) => value.trim() !== "");
}

function filterForm(onSearch) {
  const field = (key, label, props = {}) => {
    const id = `filter-${key}`;
    const input = h("input", {
      id, name: key, type: "text", value: kept.filters[key], autocomplete: "off", spellcheck: "false", ...props,
    });
    return h("div", { class: `field ${key}` }, h("label", { for: id, text: label }), input);
  };
  const form = h("form", { class: "filters", role: "search", "aria-label": "Search studies", on: {
    submit: (event) => {
      event.preventDefault();
      read();
      onSearch();
    },
  } },
    field("name", "Patient name", { placeholder: "Family, given", "aria-description": "Family name first. Asterisk stands for anything." }),
    field("id", "Patient ID"),
    field("accession", "Accession number"),
    field("from", "From date", { type: "date" }),
    field("to", "To date", { type: "date" }),
    field("modality", "Modality", { list: "modalities", placeholder: "Any" }),
    h("datalist", { id: "modalities" }, knownModalities.map((code) => h("option", { value: code }))),
    h("div", { class: "actions" },
      h("button", { type: "submit", class: "primary" }, "Search"),
      button("Clear", () => {
        for (const input of form.querySelectorAll("input")) input.value = "";
        read();
        onSearch();
        form.querySelector("input").focus();
      }, { class: "quiet" })));

  function read() {
    for (const key of Object.keys(noFilters)) kept.filters[key] = form.elements[key].value;
  }
  return form;
}

/** "1–50 of 132 studies". */
function rangeText({ matches, remaining, total }, offset) {
  const end = offset + matches.length;
  const all = total ?? end + remaining;
  if (offset === 0 && remaining === 0) return counted(all, "study", "studies");
  return `${(offset + 1).toLocaleString("en")}–${end.toLocaleString("en")} of ${counted(all, "study", "studies")}`;
}

function list(found, offset, narrowed, go) {
  if (found.matches.length === 0) return [emptyState(narrowed)];
  const rows = h("tbody", {}, found.matches.map(row));
  roveByArrows(rows, "a");
  const table = h("table", { class: "worklist" },
    h("caption", { class: "unseen", text: "Studies, the newest first" }),
    h("thead", {}, h("tr", {}, ["Patient", "Born", "Study", "Modality", "Description", "Accession", "Content"]
      .map((title) => h("th", { scope: "col", text: title })))),
    rows);
  const pages = h("nav", { class: "pages", "aria-label": "Pages" },
    h("span", { class: "range", text: rangeText(found, offset) }),
    (offset > 0 || found.remaining > 0) && h("span", { class: "actions" },
      button("Newer", () => go(Math.max(0, offset - pageSize)), { disabled: offset === 0 }),
      button("Older", () => go(offset + pageSize), { disabled: found.remaining === 0 })));
  return [table, pages];
}

function row(study) {
  const href = hashOf({ study: text(study, tags.StudyInstanceUID) });
  const birth = dateText(text(study, tags.PatientBirthDate));
  const cells = [
    ["patient", [
      h("a", { href, class: "name", text: nameOf(study, tags.PatientName) || "No name" }),
      h("span", { class: "fine mono", text: text(study, tags.PatientID) })]],
    ["birth", [birth, h("span", { class: "fine", text: sexText(study) })]],
    ["moment", [studyMoment(study)]],
    ["modality", modalities(study).map((code) => h("span", { class: "chip", text: code }))],
    ["description", [text(study, tags.StudyDescription)]],
    ["accession", [h("span", { class: "mono", text: text(study, tags.AccessionNumber) })]],
    ["content", [
      counted(text(study, tags.NumberOfStudyRelatedInstances) || 0, "object"), " ",
      h("span", { class: "fine", text: `in ${counted(text(study, tags.NumberOfStudyRelatedSeries) || 0, "series", "series")}` })]],
  ];
  return h("tr", { on: {
    // A click anywhere in the row opens it, unless text is being selected or the link itself was meant.
    click: (event) => {
      if (event.target.closest("a") || String(getSelection()) !== "") return;
      location.hash = href;
    },
  } }, cells.map(([name, content]) => h("td", { class: name }, content)));
}

function emptyState(narrowed) {
  return h("div", { class: "empty" },
    h("h2", { text: narrowed ? "No study matches" : "The archive is empty" }),
    h("p", { text: narrowed
      ? "Names begin with the family name, and * stands for anything. IDs and accession numbers must match exactly unless they hold a *."
      : "Drop files or folders anywhere on this page, or send them by STOW-RS." }),
    h("div", { class: "actions" }, narrowed
      ? button("Show all studies", () => document.querySelector(".filters button.quiet").click(), { class: "primary" })
      : h("a", { class: "button primary", href: "#/upload" }, "Upload files")));
}

function skeleton() {
  return h("div", { class: "skeleton", "aria-hidden": "true" }, Array.from({ length: 6 }, () => h("div")));
}
