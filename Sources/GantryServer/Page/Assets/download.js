// Downloads. The browser writes them straight to disk; whether they will come is asked first, so that a refusal is seen.
// Signed in they are fetched here, because a link carries no credential.
import { h } from "./dom.js";
import { request, service } from "./api.js";
import { isAbort, problemPanel } from "./problem.js";
import { isSignedIn } from "./session.js";

/** A link that downloads what `path` gives as `accept`. */
export function downloadLink(label, path, accept, fileName, props = {}) {
  const url = `${service}${path}?accept=${encodeURIComponent(accept)}`;
  const link = h("a", { href: url, download: fileName, ...props, on: { click: (event) => check(event, link, path, accept) } }, label);
  return link;
}

/** Every object of a study or series in one file. */
export function zipLink(label, path, fileName, props) {
  return downloadLink(label, path, "application/zip", fileName, props);
}

/** An instance as it was stored. */
export function instanceLink(label, path, uid, props) {
  return downloadLink(label, path, "application/dicom; transfer-syntax=*", `${uid}.dcm`, props);
}

async function check(event, link, path, accept) {
  if (link.dataset.checked) return;
  event.preventDefault();
  link.setAttribute("aria-busy", "true");
  try {
    if (isSignedIn()) {
      await save(path, accept, link.download);
      return;
    }
    await request(path, { method: "HEAD", accept });
    link.dataset.checked = "yes";
    link.click();
  } catch (error) {
    if (!isAbort(error)) showDialog(await explained(error, path, accept));
  } finally {
    link.removeAttribute("aria-busy");
    delete link.dataset.checked;
  }
}

async function save(path, accept, fileName) {
  const response = await request(path, { accept });
  const url = URL.createObjectURL(await response.blob());
  h("a", { href: url, download: fileName }).click();
  // The browser has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A HEAD has no body to say why: the answer to a GET does, and is called off as soon as it turns out well. */
async function explained(error, path, accept) {
  if (error.status === 0) return error;
  const controller = new AbortController();
  try {
    await request(path, { accept, signal: controller.signal });
    controller.abort();
    return error;
  } catch (told) {
    return told;
  }
}

function showDialog(error) {
  const dialog = h("dialog", { class: "sheet", "aria-label": "Download", on: { close: () => dialog.remove() } },
    problemPanel(error),
    h("form", { method: "dialog", class: "actions" }, h("button", { class: "primary" }, "Close")));
  document.body.append(dialog);
  dialog.showModal();
}
