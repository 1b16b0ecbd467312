// Upload: where files are dropped or chosen, how far they are, and what became of each.
import { announce, button, bytesText, counted, h } from "./dom.js";
import { search } from "./api.js";
import { nameOf, studyMoment, tags, text } from "./dicom.js";
import { filesOfInput } from "./files.js";
import { reasonText } from "./reasons.js";
import { hashOf } from "./router.js";
import { UploadQueue } from "./upload-queue.js";

/** One queue for the page: leaving this view does not stop it. */
export const uploads = new UploadQueue();

const rowsShown = 300;
const stateWords = { waiting: "Waiting", sending: "Sending", stored: "Stored", failed: "Failed", cancelled: "Called off" };

export function uploadView() {
  const summary = h("div", { class: "summary" });
  const studies = h("div", { class: "studies" });
  const files = h("ul", { class: "files", "aria-label": "Files" });
  const rest = h("p", { class: "fine" });
  const rows = new Map();
  let saidOpen = uploads.counts.open;

  const refresh = () => {
    const { counts } = uploads;
    summary.replaceChildren(...(counts.all > 0 ? progress(counts) : []));
    refreshRows(files, rows, rest);
    if (counts.open === 0) showStudies(studies);
    if (saidOpen > 0 && counts.open === 0) announce(resultText(counts));
    saidOpen = counts.open;
  };

  const element = h("div", { class: "page" },
    h("h1", { text: "Upload" }),
    dropZone(),
    summary, studies, files, rest);
  return {
    title: "Upload", element,
    shown: () => {
      uploads.addEventListener("change", refresh);
      refresh();
    },
    dispose: () => uploads.removeEventListener("change", refresh),
  };
}

function dropZone() {
  const picker = (id, label, props) => {
    const input = h("input", { id, type: "file", multiple: true, class: "unseen", ...props, on: {
      change: () => {
        uploads.add(filesOfInput(input));
        input.value = "";
      },
    } });
    return [input, h("label", { for: id, class: "button" }, label)];
  };
  return h("section", { class: "dropzone", "aria-label": "Files to upload" },
    h("p", { class: "title", text: "Drop DICOM files or folders here" }),
    h("p", { class: "fine", text: "They are stored by STOW-RS. What the archive holds already is not stored twice." }),
    h("div", { class: "actions" }, picker("choose-files", "Choose files"), picker("choose-folder", "Choose a folder", { webkitdirectory: true })));
}

/** "12 stored, 1 failed". */
function resultText(counts) {
  return [
    counts.stored > 0 && `${counts.stored} stored`,
    counts.warned > 0 && `${counts.warned} of them with a warning`,
    counts.failed > 0 && `${counts.failed} failed`,
    counts.cancelled > 0 && `${counts.cancelled} called off`,
    counts.open > 0 && `${counts.open} to go`,
  ].filter(Boolean).join(", ");
}

function progress(counts) {
  const share = counts.bytes > 0 ? counts.sentBytes / counts.bytes : 1;
  const canRetry = counts.failed + counts.cancelled > 0;
  return [
    h("div", { class: "line" },
      h("strong", { text: counts.open > 0 ? `Sending ${counted(counts.all, "file")}` : `${counted(counts.all, "file")} done` }),
      h("span", { class: "fine", text: `${bytesText(counts.sentBytes)} of ${bytesText(counts.bytes)}` })),
    h("progress", { max: 1, value: share, "aria-label": "Sent" }),
    h("div", { class: "line" },
      h("span", { text: resultText(counts) }),
      h("span", { class: "actions" },
        counts.open > 0 && button("Stop", () => uploads.cancel()),
        canRetry && button("Send failed ones again", () => uploads.retry(), { class: "primary" }),
        counts.open === 0 && button("Clear list", () => uploads.clear(), { class: "quiet" }))),
  ];
}

/** Failures first and always; of the others as many as are worth looking at. */
function refreshRows(list, rows, rest) {
  const failed = uploads.items.filter((item) => item.state === "failed");
  const others = uploads.items.filter((item) => item.state !== "failed");
  const shown = [...failed.slice(0, 1000), ...others.slice(0, rowsShown)];
  const ids = new Set(shown.map((item) => item.id));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    row.element.remove();
    rows.delete(id);
  }
  let before = list.firstElementChild;
  for (const item of shown) {
    const row = rows.get(item.id) ?? makeRow(item);
    rows.set(item.id, row);
    row.update();
    if (row.element === before) before = before.nextElementSibling;
    else list.insertBefore(row.element, before);
  }
  const hidden = uploads.items.length - shown.length;
  rest.textContent = hidden > 0 ? `and ${counted(hidden, "more file")}` : "";
}

function makeRow(item) {
  const state = h("span", { class: "state" });
  const why = h("span", { class: "why" });
  const element = h("li", {},
    h("span", { class: "path", text: item.path, title: item.path }),
    h("span", { class: "size fine", text: bytesText(item.size) }), state, why);
  let drawn = "";
  return {
    element,
    update() {
      const key = `${item.state}|${item.reason}|${item.warning}|${item.problem}`;
      if (key === drawn) return;
      drawn = key;
      element.dataset.state = item.state === "stored" && item.warning ? "warned" : item.state;
      state.replaceChildren(item.study
        ? h("a", { href: hashOf({ study: item.study }), text: item.warning ? "Stored with a warning" : "Stored" })
        : stateWords[item.state]);
      const code = item.state === "failed" ? item.reason : item.warning;
      why.textContent = code ? reasonText(code) : item.problem ?? "";
    },
  };
}

/** The studies that got something, by name. */
async function showStudies(container) {
  const counts = new Map();
  for (const item of uploads.items) if (item.study) counts.set(item.study, (counts.get(item.study) ?? 0) + 1);
  const uids = [...counts.keys()];
  const key = `${uids.length} ${[...counts.values()].join()}`;
  if (container.dataset.key === key) return;
  container.dataset.key = key;
  if (uids.length === 0) {
    container.replaceChildren();
    return;
  }
  const found = await search("/studies", [["StudyInstanceUID", uids.slice(0, 50).join(",")]]).catch(() => ({ matches: [] }));
  const known = new Map(found.matches.map((study) => [text(study, tags.StudyInstanceUID), study]));
  container.replaceChildren(
    h("h2", { text: counts.size === 1 ? "Study" : "Studies" }),
    h("ul", {}, uids.slice(0, 50).map((uid) => h("li", {},
      h("a", { href: hashOf({ study: uid }), text: known.has(uid) ? nameOf(known.get(uid), tags.PatientName) || "No name" : uid }),
      h("span", { class: "fine", text: [known.has(uid) && text(known.get(uid), tags.StudyDescription), known.has(uid) && studyMoment(known.get(uid)), counted(counts.get(uid), "file")]
        .filter(Boolean).join(" · ") })))));
}
