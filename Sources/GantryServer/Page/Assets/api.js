// The DICOMweb service, and how its answers and errors are read. Nothing else of the page makes requests, but uploads.
import { tags, text } from "./dicom.js";
import { credentialHeaders, noteStatus } from "./session.js";

/** The service root: beside this page, whatever prefix a proxy puts before it. */
export const service = new URL("dicomweb", document.baseURI).pathname;

/** An answer that says no (RFC 9457), or none at all. */
export class Problem extends Error {
  constructor({ status = 0, title, detail = "", advice = "", requestID = "" }) {
    super(title);
    Object.assign(this, { status, title, detail, advice, requestID });
  }

  /** What an answer tells about itself. */
  static read(status, contentType, body, requestID) {
    let problem = {};
    if (contentType?.includes("json")) {
      try {
        problem = JSON.parse(body);
      } catch {
        // The status has to do.
      }
    }
    return new Problem({
      status,
      title: problem.title ?? `The server answered ${status}`,
      detail: problem.detail,
      advice: problem.advice ?? (status >= 500 ? "Try again in a moment." : ""),
      requestID: problem.instance?.replace("urn:gantry:request:", "") ?? requestID ?? "",
    });
  }

  static get unreachable() {
    return new Problem({
      title: "The server cannot be reached",
      detail: "The request got no answer.",
      advice: "Check that the gateway runs and that the network is there, then try again.",
    });
  }
}

/** A request below the service root. Throws `Problem`, or `AbortError` when it was called off. */
export async function request(path, { accept, signal, method = "GET", headers = {} } = {}) {
  let response;
  try {
    response = await fetch(service + path, { method, signal, headers: { ...credentialHeaders(), ...headers, ...(accept && { Accept: accept }) } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw Problem.unreachable;
  }
  if (response.ok) return response;
  noteStatus(response.status);
  const body = await response.text().catch(() => "");
  throw Problem.read(response.status, response.headers.get("Content-Type"), body, response.headers.get("X-Request-ID"));
}

/**
 * A search (QIDO-RS). `keys` are pairs; empty values are left out.
 * Gives the matches, and how many there are beyond them: `null` when the server does not tell.
 */
export async function search(path, keys, { signal } = {}) {
  const query = keys.filter(([, value]) => value !== "" && value !== undefined)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
  const response = await request(`${path}?${query}`, { accept: "application/dicom+json", signal });
  if (response.status === 204) return { matches: [], remaining: 0, total: countOf(response) };
  const warning = response.headers.get("Warning") ?? "";
  const more = /There are (\d+) additional results/.exec(warning);
  return { matches: await response.json(), remaining: more ? Number(more[1]) : 0, total: countOf(response) };
}

function countOf(response) {
  const count = response.headers.get("X-Total-Count");
  return count === null || !/^\d+$/.test(count) ? null : Number(count);
}

/** Every match of a search, page by page. */
export async function searchAll(path, keys, { signal, pageSize = 1000, most = 20000 } = {}) {
  const all = [];
  for (;;) {
    const page = await search(path, [...keys, ["limit", pageSize], ["offset", all.length]], { signal });
    all.push(...page.matches);
    if (page.remaining === 0 || page.matches.length === 0 || all.length >= most) return all;
  }
}

/** The study as a search finds it; throws a 404 when the archive does not hold it. */
export async function study(uid, { signal } = {}) {
  const { matches } = await search("/studies", [["StudyInstanceUID", uid]], { signal });
  if (matches.length === 1) return matches[0];
  throw new Problem({
    status: 404, title: "The archive does not hold this study", detail: `There is no study ${uid}.`,
    advice: "It may have been deleted, or the address is incomplete. Search for it.",
  });
}

/** The series of a study, in the server's order. */
export function seriesOf(studyUID, { signal } = {}) {
  return searchAll(`/studies/${studyUID}/series`, [], { signal });
}

/** The instances of a series, in the server's order. */
export function instancesOf(studyUID, seriesUID, { signal } = {}) {
  return searchAll(`/studies/${studyUID}/series/${seriesUID}/instances`, [["includefield", "NumberOfFrames,Rows,Columns"]], { signal });
}

/** The whole data set of an instance, bulk data by reference. */
export async function metadata(path, { signal } = {}) {
  const response = await request(`${path}/metadata`, { accept: "application/dicom+json", signal });
  const datasets = await response.json();
  return datasets[0] ?? {};
}

/** The path of an instance, series or study below the service root. */
export function pathOf({ study: studyUID, series, instance }) {
  let path = `/studies/${studyUID}`;
  if (series) path += `/series/${series}`;
  if (instance) path += `/instances/${instance}`;
  return path;
}

/** Where the bytes of a bulk data reference are on this page's own origin. */
export function bulkDataPath(uri) {
  const path = new URL(uri, document.baseURI).pathname;
  const at = path.indexOf("/studies/");
  return at < 0 ? null : path.slice(at);
}

/** The modalities of a study. */
export function modalities(found) {
  return (found[tags.ModalitiesInStudy]?.Value ?? []).filter(Boolean).map(String);
}

/** What a thumbnail is fetched from, below the service root. Modalities without pictures have none. */
export function thumbnailPath(path, size = 192) {
  return `${path}/thumbnail?viewport=${size},${size}&accept=image%2Fjpeg`;
}

const withoutPicture = new Set(
  ["AU", "DOC", "ECG", "EPS", "FID", "HD", "KO", "PLAN", "PR", "REG", "RTPLAN", "RTRECORD", "RTSTRUCT", "RWV", "SR"]);

/** Whether objects of a modality have a picture. */
export function hasPicture(series) {
  return !withoutPicture.has(text(series, tags.Modality));
}
