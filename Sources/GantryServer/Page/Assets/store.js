// Storing files (STOW-RS, PS3.18 10.5): one request for a batch of files, and which file each item of the answer is about.
import { Problem, service } from "./api.js";
import { number, tags, text, values } from "./dicom.js";
import { credentialHeaders, noteStatus } from "./session.js";

/** The body of a store request. Files stay on disk until the browser sends them. */
export function multipart(files) {
  const boundary = `gantry-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
  const pieces = [];
  for (const file of files) pieces.push(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`, file, "\r\n");
  pieces.push(`--${boundary}--\r\n`);
  return { body: new Blob(pieces), contentType: `multipart/related; type="application/dicom"; boundary=${boundary}` };
}

/**
 * Sends files in one request; `onProgress` is told the share that has left. Gives the response module, or throws
 * `Problem` when there is none, `AbortError` when it was called off.
 */
export function store(files, { signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const { body, contentType } = multipart(files);
    const exchange = new XMLHttpRequest();
    exchange.open("POST", `${service}/studies`);
    exchange.setRequestHeader("Content-Type", contentType);
    exchange.setRequestHeader("Accept", "application/dicom+json");
    for (const [name, value] of Object.entries(credentialHeaders())) exchange.setRequestHeader(name, value);
    exchange.upload.onprogress = (event) => onProgress(event.loaded / body.size);
    exchange.onload = () => {
      const type = exchange.getResponseHeader("Content-Type") ?? "";
      if (type.startsWith("application/dicom+json")) {
        try {
          resolve(JSON.parse(exchange.responseText));
          return;
        } catch {
          // Falls through: an answer that cannot be read is a problem.
        }
      }
      noteStatus(exchange.status);
      const problem = Problem.read(exchange.status, type, exchange.responseText, exchange.getResponseHeader("X-Request-ID"));
      problem.retryAfter = Number(exchange.getResponseHeader("Retry-After")) || 0;
      reject(problem);
    };
    exchange.onerror = () => reject(Problem.unreachable);
    exchange.onabort = () => reject(new DOMException("called off", "AbortError"));
    signal.addEventListener("abort", () => exchange.abort(), { once: true });
    if (signal.aborted) exchange.abort();
    exchange.send(body);
  });
}

/**
 * What became of each file: an array beside `uids`, which names the SOP Instance UID of each file where it is known.
 * `undefined` for a file about which the answer does not tell for certain; it has to be asked again alone.
 */
export function verdicts(module, uids) {
  const identified = [
    ...values(module, tags.ReferencedSOPSequence).map((item) => ({
      uid: text(item, tags.ReferencedSOPInstanceUID),
      verdict: { state: "stored", warning: number(item, tags.WarningReason), study: studyOf(item) },
    })),
    ...values(module, tags.FailedSOPSequence).map((item) => ({
      uid: text(item, tags.ReferencedSOPInstanceUID),
      verdict: { state: "failed", reason: number(item, tags.FailureReason) },
    })),
  ];
  const others = values(module, tags.OtherFailuresSequence)
    .map((item) => ({ state: "failed", reason: number(item, tags.FailureReason) }));
  const result = uids.map((uid) => {
    const at = uid === "" ? -1 : identified.findIndex((item) => item.uid === uid);
    return at < 0 ? undefined : identified.splice(at, 1)[0].verdict;
  });
  // Whatever is left belongs to the files that are left: certain when they are alike, or when there is but one.
  const left = [...identified.map((item) => item.verdict), ...others];
  const open = result.flatMap((verdict, at) => (verdict === undefined ? [at] : []));
  const isCertain = left.length === open.length
    && (left.length === 1 || left.every((one) => one.state === "failed" && one.reason === left[0].reason));
  if (isCertain) open.forEach((at, index) => { result[at] = left[index]; });
  return result;
}

function studyOf(item) {
  return /\/studies\/([0-9.]+)/.exec(text(item, tags.RetrieveURL))?.[1];
}
