// How a failure looks: what happened, why, what can be done, and the id under which the log knows it.
import { button, h } from "./dom.js";
import { Problem } from "./api.js";

/** A panel about an error; with `retry` it has a button that tries again, where that can help. */
export function problemPanel(error, { retry, actions = [] } = {}) {
  const problem = error instanceof Problem ? error : new Problem({
    title: "The page could not show this", detail: String(error?.message ?? error), advice: "Reload the page; if it stays, report it.",
  });
  const canRetry = retry && ![400, 404, 406, 410].includes(problem.status);
  return h("div", { class: "problem", role: "alert" },
    h("h2", { text: problem.title }),
    problem.detail && h("p", { text: problem.detail }),
    problem.advice && h("p", { class: "advice", text: problem.advice }),
    (problem.status || problem.requestID) && h("p", { class: "fine" },
      problem.status ? `Status ${problem.status}` : "",
      problem.status && problem.requestID ? " · " : "",
      problem.requestID && h("span", {}, "Request id ", h("code", { text: problem.requestID }))),
    (canRetry || actions.length > 0) && h("div", { class: "actions" }, canRetry && button("Try again", retry, { class: "primary" }), actions));
}

/** Whether an error only says that nobody waits any more. */
export function isAbort(error) {
  return error?.name === "AbortError";
}
