// Shows the view that the address names, and takes files that are dropped anywhere.
import { announce, h } from "./dom.js";
import { filesOfDrop, isFileDrag } from "./files.js";
import { parse } from "./router.js";
import { problemPanel } from "./problem.js";
import { Problem } from "./api.js";
import { searchView } from "./search.js";
import { asked, isSignedIn, signOut } from "./session.js";
import { signInView } from "./sign-in.js";
import { studyView } from "./study.js";
import { uploads, uploadView } from "./upload.js";
import { viewerView } from "./viewer.js";

const views = { search: searchView, study: studyView, upload: uploadView, viewer: viewerView, unknown: unknownView };
const main = document.getElementById("main");
let shown = null;

function unknownView() {
  const panel = problemPanel(
    new Problem({ status: 404, title: "This address leads nowhere", detail: "What stands behind the # is not a study, series or instance.",
      advice: "Start from the list of studies." }),
    { actions: [h("a", { class: "button primary", href: "#/" }, "Studies")] });
  return { title: "Not found", element: h("div", { class: "page" }, h("h1", { class: "unseen", text: "Not found" }), panel) };
}

const signOutButton = document.getElementById("sign-out");
signOutButton.addEventListener("click", () => {
  signOut();
  showSignIn();
});

/** The form, in place of whatever the server did not give out; afterwards what the address names. */
function showSignIn() {
  if (shown?.name === "sign-in") return;
  signOut();
  signOutButton.hidden = true;
  shown?.view.dispose?.();
  const view = signInView(() => {
    shown = { name: "sign-in-done", view: {} };
    show();
  });
  shown = { name: "sign-in", view };
  document.body.dataset.view = "sign-in";
  document.title = `${view.title} · Gantry`;
  main.replaceChildren(view.element);
  view.shown();
  announce(view.title);
}

asked.addEventListener("asked", showSignIn);

function show() {
  const route = parse(location.hash);
  if (route === null || shown?.name === "sign-in") return;
  signOutButton.hidden = !isSignedIn();
  if (shown?.name === route.name && shown.view.update?.(route)) return;
  shown?.view.dispose?.();
  const isFirst = shown === null;
  const view = views[route.name](route);
  shown = { name: route.name, view };
  document.body.dataset.view = route.name;
  // The title goes into the browser's history: it names no patient.
  document.title = `${view.title} · Gantry`;
  for (const link of document.querySelectorAll("nav [data-section]")) {
    const isCurrent = link.dataset.section === (route.name === "upload" ? "upload" : "search");
    if (isCurrent) link.setAttribute("aria-current", route.name === link.dataset.section ? "page" : "true");
    else link.removeAttribute("aria-current");
  }
  main.replaceChildren(view.element);
  view.shown?.();
  if (isFirst) return;
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
  announce(view.title);
}

addEventListener("hashchange", show);
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

// Files dropped anywhere are uploaded; without this the browser would leave the page and open them.
let depth = 0;
const mark = () => document.body.classList.toggle("dropping", depth > 0);
addEventListener("dragenter", (event) => {
  if (!isFileDrag(event)) return;
  depth += 1;
  mark();
});
addEventListener("dragleave", (event) => {
  if (!isFileDrag(event)) return;
  depth = Math.max(0, depth - 1);
  mark();
});
addEventListener("dragover", (event) => {
  if (isFileDrag(event)) event.preventDefault();
});
addEventListener("drop", async (event) => {
  depth = 0;
  mark();
  if (!isFileDrag(event)) return;
  event.preventDefault();
  const files = filesOfDrop(event);
  location.hash = "#/upload";
  uploads.add(await files);
});

const badge = document.getElementById("upload-badge");
uploads.addEventListener("change", () => {
  const { open } = uploads.counts;
  badge.hidden = open === 0;
  badge.textContent = open > 0 ? ` ${open}` : "";
});
addEventListener("beforeunload", (event) => {
  if (uploads.counts.open > 0) event.preventDefault();
});

show();
