// A study: whose it is, and its series with pictures.
import { announce, counted, h, roveByArrows } from "./dom.js";
import { hasPicture, modalities, pathOf, seriesOf, study as findStudy, thumbnailPath } from "./api.js";
import { showPicture } from "./picture.js";
import { dateText, nameOf, sexText, studyMoment, tags, text } from "./dicom.js";
import { zipLink } from "./download.js";
import { isAbort, problemPanel } from "./problem.js";
import { hashOf } from "./router.js";

export function studyView({ study: uid }) {
  const controller = new AbortController();
  const element = h("div", { class: "page wide", "aria-busy": "true" }, h("p", { class: "waiting", text: "Loading the study …" }));

  async function load() {
    try {
      const [study, series] = await Promise.all([findStudy(uid, controller), seriesOf(uid, controller)]);
      element.replaceChildren(banner(study, uid), seriesList(uid, series));
      announce(`Study with ${counted(series.length, "series", "series")}`);
    } catch (error) {
      if (isAbort(error)) return;
      const back = h("a", { class: "button", href: "#/" }, "Studies");
      element.replaceChildren(problemPanel(error, { retry: load, actions: [back] }));
    }
    element.setAttribute("aria-busy", "false");
  }

  return { title: "Study", element, shown: load, dispose: () => controller.abort() };
}

/** Label and value pairs, those without a value left out. */
function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value).map(([label, value]) =>
    h("div", {}, h("dt", { text: label }), h("dd", { text: value }))));
}

function banner(study, uid) {
  return h("section", { class: "banner", "aria-labelledby": "patient" },
    h("a", { class: "back", href: "#/" }, "‹ Studies"),
    h("div", { class: "who" },
      h("h1", { id: "patient", text: nameOf(study, tags.PatientName) || "No name" }),
      facts([
        ["Patient ID", text(study, tags.PatientID)],
        ["Born", dateText(text(study, tags.PatientBirthDate))],
        ["Sex", sexText(study)],
      ])),
    h("div", { class: "what" },
      h("p", { class: "title" }, text(study, tags.StudyDescription) || "Study",
        modalities(study).map((code) => h("span", { class: "chip", text: code }))),
      facts([
        ["Date", studyMoment(study)],
        ["Accession", text(study, tags.AccessionNumber)],
        ["Study ID", text(study, tags.StudyID)],
        ["Referred by", nameOf(study, tags.ReferringPhysicianName)],
        ["Content", `${counted(text(study, tags.NumberOfStudyRelatedSeries) || 0, "series", "series")}, ${
          counted(text(study, tags.NumberOfStudyRelatedInstances) || 0, "object")}`],
      ])),
    h("div", { class: "actions" },
      zipLink("Download study", pathOf({ study: uid }), `${uid}.zip`, { class: "button" })));
}

function seriesList(uid, series) {
  const list = h("ul", { class: "cards" }, series.map((one) => h("li", {}, card(uid, one))));
  roveByArrows(list, "a.open", { horizontal: true });
  return h("section", { "aria-labelledby": "series" }, h("h2", { id: "series", text: "Series" }), list);
}

function card(uid, series) {
  const seriesUID = text(series, tags.SeriesInstanceUID);
  const title = seriesTitle(series);
  const count = counted(text(series, tags.NumberOfSeriesRelatedInstances) || 0, "object");
  const place = text(series, tags.BodyPartExamined);
  return h("article", { class: "card" },
    h("a", { class: "open", href: hashOf({ study: uid, series: seriesUID }) },
      thumbnail(pathOf({ study: uid, series: seriesUID }), series),
      h("span", { class: "title", text: title }),
      h("span", { class: "fine" }, [text(series, tags.Modality), place && sentenceCase(place), count].filter(Boolean).join(" · "))),
    zipLink("Download", pathOf({ study: uid, series: seriesUID }), `${seriesUID}.zip`, {
      class: "more", "aria-label": `Download series ${title}`,
    }));
}

/** "3 · Axial T2", or what else there is to name a series by. */
export function seriesTitle(series) {
  const number = text(series, tags.SeriesNumber);
  const words = text(series, tags.SeriesDescription) || `${text(series, tags.Modality) || "Unnamed"} series`;
  return number ? `${number} · ${words}` : words;
}

/** A small picture that is fetched when it comes into sight; the modality's letters where there is none. */
export function thumbnail(path, series, size = 192) {
  const code = text(series, tags.Modality) || "–";
  const box = h("span", { class: hasPicture(series) ? "thumbnail" : "thumbnail none", "aria-hidden": "true" }, h("span", { class: "letters", text: code }));
  if (hasPicture(series)) {
    const image = h("img", { alt: "", loading: "lazy", decoding: "async", on: {
      load: () => box.classList.add("loaded"),
      error: () => image.remove(),
    } });
    box.append(image);
    showPicture(image, thumbnailPath(path, size));
  }
  return box;
}

function sentenceCase(code) {
  return code.charAt(0).toUpperCase() + code.slice(1).toLowerCase();
}
