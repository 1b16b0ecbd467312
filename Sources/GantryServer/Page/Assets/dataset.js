// A data set as a tree: tag, VR, name, value; sequences open and close, a filter finds what is inside.
import { button, counted, h } from "./dom.js";
import { bulkDataPath } from "./api.js";
import { personName } from "./dicom.js";
import { dictionary } from "./dictionary.js";
import { downloadLink } from "./download.js";

const longestShown = 400;
const mostMatches = 500;

/** The panel for the data set of an instance. */
export async function datasetPanel(dataset) {
  const names = await dictionary();
  const tree = h("div", { class: "tree" });
  const said = h("p", { class: "fine", role: "status" });
  const filter = h("input", {
    id: "dataset-filter", type: "search", placeholder: "Name, tag or value", autocomplete: "off", spellcheck: "false",
    on: { input: () => draw() },
  });

  function draw() {
    const wanted = filter.value.trim().toLowerCase();
    if (wanted === "") {
      said.textContent = counted(Object.keys(dataset).length, "attribute");
      tree.replaceChildren(rows(dataset, names));
      return;
    }
    const found = { count: 0 };
    tree.replaceChildren(matching(dataset, names, wanted.replace(/[(),\s]/g, "").length === 8 ? wanted.replace(/[(),\s]/g, "") : wanted, found));
    said.textContent = found.count > mostMatches
      ? `The first ${mostMatches} matches` : found.count === 0 ? "Nothing matches" : counted(found.count, "match", "matches");
  }
  draw();
  return h("div", { class: "dataset" },
    h("div", { class: "tools" },
      h("label", { for: "dataset-filter", class: "unseen", text: "Filter the data set" }), filter,
      copyButton("Copy text", () => asText(dataset, names)),
      copyButton("Copy JSON", () => JSON.stringify(dataset, null, 2))),
    said, tree);
}

/** One list of attributes. What is inside a sequence is made when it is opened. */
function rows(dataset, names) {
  return h("ul", {}, Object.keys(dataset).sort().map((tag) => h("li", {}, attribute(tag, dataset, names))));
}

function attribute(tag, dataset, names) {
  const element = dataset[tag];
  if (element.vr !== "SQ") return h("div", { class: "row" }, heading(tag, element, names), value(tag, element, names));
  const items = element.Value ?? [];
  if (items.length === 0) return h("div", { class: "row" }, heading(tag, element, names), h("span", { class: "value none", text: "no items" }));
  return disclosure(
    h("summary", { class: "row" }, heading(tag, element, names), h("span", { class: "value fine", text: counted(items.length, "item") })),
    () => items.map((item, index) => itemOf(item, index, items.length, names)));
}

function itemOf(item, index, count, names) {
  const isOpen = count === 1;
  const label = h("summary", { class: "item", text: `Item ${index + 1}` });
  const details = disclosure(label, () => [rows(item, names)]);
  if (isOpen) details.open = true;
  return details;
}

/** A part that is made the first time it is opened. */
function disclosure(summary, make) {
  const details = h("details", { on: {
    toggle: () => {
      if (details.open && details.children.length === 1) details.append(...make());
    },
  } }, summary);
  return details;
}

function heading(tag, element, names) {
  const { keyword, name } = names.attribute(tag);
  return [
    h("span", { class: "tag mono", text: `${tag.slice(0, 4)},${tag.slice(4)}` }),
    h("span", { class: "vr mono", text: element.vr }),
    h("span", { class: "name", text: name, title: keyword }),
  ];
}

function value(tag, element, names) {
  if (element.BulkDataURI) {
    const path = bulkDataPath(element.BulkDataURI);
    return h("span", { class: "value" }, h("span", { class: "fine", text: "bulk data " }),
      path && downloadLink("Save", path, "application/octet-stream", `${tag}.bin`, { "aria-label": `Save the bulk data of ${tag}` }));
  }
  const shown = valueText(element, names);
  if (shown === "") return h("span", { class: "value none", text: "empty" });
  if (shown.length <= longestShown) return h("span", { class: "value", text: shown });
  return h("span", { class: "value" }, h("details", { class: "long" },
    h("summary", { text: `${shown.slice(0, 120)} …` }), h("span", { text: shown })));
}

/** An attribute's values as text. */
function valueText(element, names) {
  if (element.InlineBinary !== undefined) {
    const bytes = Math.floor((element.InlineBinary.length * 3) / 4) - (element.InlineBinary.match(/=*$/)?.[0].length ?? 0);
    return `${counted(bytes, "byte")}: ${hexOf(element.InlineBinary)}`;
  }
  return (element.Value ?? []).map((one) => {
    if (one === null) return "";
    if (element.vr === "PN") return personNameRaw(one);
    if (element.vr === "UI" && names.uid(one)) return `${one} (${names.uid(one)})`;
    if (element.vr === "AT") return `${one.slice(0, 4)},${one.slice(4)} ${names.attribute(one).name}`;
    return String(one);
  }).join(" \\ ");
}

function hexOf(base64) {
  const bytes = [...atob(base64.slice(0, 44))].slice(0, 32).map((char) => char.charCodeAt(0).toString(16).padStart(2, "0"));
  return bytes.join(" ") + (base64.length > 44 ? " …" : "");
}

function personNameRaw(one) {
  if (typeof one === "string") return one;
  const groups = [one.Alphabetic, one.Ideographic, one.Phonetic];
  while (groups.length > 0 && !groups.at(-1)) groups.pop();
  return groups.map((group) => group ?? "").join("=") || personName(one);
}

/** The attributes that match, with the path to each. */
function matching(dataset, names, wanted, found, path = []) {
  const list = h("ul", {});
  const walk = (inner, above) => {
    for (const tag of Object.keys(inner).sort()) {
      if (found.count > mostMatches) return;
      const element = inner[tag];
      const { keyword, name } = names.attribute(tag);
      const words = element.vr === "SQ" || element.BulkDataURI ? "" : valueText(element, names);
      if ([tag, keyword, name, words].some((part) => part.toLowerCase().includes(wanted))) {
        found.count += 1;
        if (found.count > mostMatches) return;
        list.append(h("li", {}, above.length > 0 && h("p", { class: "path fine", text: above.join(" › ") }), attribute(tag, inner, names)));
      }
      if (element.vr === "SQ") (element.Value ?? []).forEach((item, index) => walk(item ?? {}, [...above, `${name} ${index + 1}`]));
    }
  };
  walk(dataset, path);
  return list;
}

/** The whole data set as indented lines. */
function asText(dataset, names, indent = "") {
  return Object.keys(dataset).sort().map((tag) => {
    const element = dataset[tag];
    const start = `${indent}(${tag.slice(0, 4)},${tag.slice(4)}) ${element.vr} ${names.attribute(tag).name}`;
    if (element.vr !== "SQ") return `${start}: ${element.BulkDataURI ? "bulk data" : valueText(element, names)}`;
    return [start, ...(element.Value ?? []).map((item, index) => `${indent}  Item ${index + 1}\n${asText(item ?? {}, names, `${indent}    `)}`)].join("\n");
  }).join("\n");
}

function copyButton(label, make) {
  const copy = button(label, async () => {
    const isDone = await copyText(make());
    copy.textContent = isDone ? "Copied" : "Not copied";
    setTimeout(() => { copy.textContent = label; }, 1500);
  }, { class: "quiet" });
  return copy;
}

async function copyText(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch {
    // The clipboard is for secure origins; elsewhere a selection does.
    const area = h("textarea", { class: "unseen", value: words });
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    return isDone;
  }
}

