// Objects without pixels: reports as text, encapsulated documents as a download, and a word about the rest.
import { h } from "./dom.js";
import { request } from "./api.js";
import { tags, text } from "./dicom.js";
import { dictionary } from "./dictionary.js";
import { downloadLink, instanceLink } from "./download.js";
import { isAbort } from "./problem.js";

const fileNames = {
  "application/pdf": "pdf", "text/xml": "xml", "application/xml": "xml", "model/stl": "stl", "model/obj": "obj", "model/mtl": "mtl",
};

/** What stands in the place of the image. Nothing of an object is ever run: text is shown as text, files are saved. */
export async function documentPanel(path, dataset, signal) {
  const uid = text(dataset, tags.SOPInstanceUID);
  const names = await dictionary();
  const title = names.uid(text(dataset, tags.SOPClassUID)) || "Object without an image";
  const panel = h("div", { class: "document" }, h("h2", { text: title }));
  const type = text(dataset, tags.MIMETypeOfEncapsulatedDocument);
  if (dataset[tags.EncapsulatedDocument] && type) {
    panel.append(
      h("p", { text: `A document of type ${type}.` }),
      h("div", { class: "actions" }, downloadLink("Save the document", `${path}/bulkdata/${tags.EncapsulatedDocument}`, type,
        `${uid}.${fileNames[type] ?? "bin"}`, { class: "button primary" })));
    return panel;
  }
  const words = await rendered(path, signal);
  if (words) {
    panel.append(h("pre", { tabIndex: 0, "aria-label": "Report", text: words }));
  } else {
    panel.append(h("p", { text: "This object has no picture. Its data set can be read, and it can be downloaded." }));
  }
  panel.append(h("div", { class: "actions" }, instanceLink("Download the object", path, uid, { class: "button" })));
  return panel;
}

async function rendered(path, signal) {
  try {
    const response = await request(`${path}/rendered`, { accept: "text/plain", signal });
    return response.headers.get("Content-Type")?.startsWith("text/plain") ? await response.text() : "";
  } catch (error) {
    if (isAbort(error)) throw error;
    return "";
  }
}
