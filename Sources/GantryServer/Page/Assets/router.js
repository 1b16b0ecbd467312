// What of the archive is shown stands behind the #, so that it can be kept as a bookmark. It holds UIDs and nothing else.
import { isUID } from "./dicom.js";

/** Reads a location's hash. `null` when it is none of ours. */
export function parse(hash) {
  if (hash === "" || hash === "#" || hash === "#/") return { name: "search" };
  if (!hash.startsWith("#/")) return null;
  const parts = hash.slice(2).split("/").filter(Boolean);
  if (parts.length === 1 && parts[0] === "upload") return { name: "upload" };
  const route = { name: "study" };
  const wantsDataset = parts.at(-1) === "metadata";
  if (wantsDataset) parts.pop();
  for (let at = 0; at < parts.length; at += 2) {
    const key = { studies: "study", series: "series", instances: "instance", frames: "frame" }[parts[at]];
    const value = parts[at + 1] ?? "";
    if (!key || !(key === "frame" ? /^[1-9]\d{0,6}$/.test(value) : isUID(value))) return { name: "unknown" };
    route[key] = key === "frame" ? Number(value) : value;
  }
  if (!route.study || (route.instance && !route.series) || (route.frame && !route.instance)) return { name: "unknown" };
  if (wantsDataset && !route.instance) return { name: "unknown" };
  if (route.series) route.name = "viewer";
  if (wantsDataset) route.dataset = true;
  return route;
}

/** The hash of a study, series, instance or frame. */
export function hashOf({ study, series, instance, frame, dataset }) {
  let hash = `#/studies/${study}`;
  if (series) hash += `/series/${series}`;
  if (instance) hash += `/instances/${instance}`;
  if (frame && frame > 1) hash += `/frames/${frame}`;
  return dataset ? `${hash}/metadata` : hash;
}
