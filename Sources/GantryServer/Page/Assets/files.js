// Files from a drop or a picker, folders with all that is in them.

/** Whether what is dragged over the page is files. */
export function isFileDrag(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

/** The files of a drop. To be called while the event lasts; the result may be awaited later. */
export async function filesOfDrop(event) {
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return [...event.dataTransfer.files];
  const files = [];
  const waiting = entries.map((entry) => ({ entry, path: "" }));
  while (waiting.length > 0) {
    const { entry, path } = waiting.pop();
    if (entry.isDirectory) {
      for (const inner of await children(entry)) waiting.push({ entry: inner, path: `${path}${entry.name}/` });
    } else if (!entry.name.startsWith(".")) {
      const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
      if (file) files.push(Object.assign(file, { shownPath: path + entry.name }));
    }
  }
  return files.sort((one, other) => one.shownPath.localeCompare(other.shownPath, "en", { numeric: true }));
}

/** The files of an `<input type=file>`. */
export function filesOfInput(input) {
  return [...input.files].filter((file) => !file.name.startsWith("."))
    .map((file) => Object.assign(file, { shownPath: file.webkitRelativePath || file.name }));
}

async function children(directory) {
  const reader = directory.createReader();
  const all = [];
  for (;;) {
    // Gives a hundred or so at a time, and none at the end.
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/**
 * The SOP Instance UID that stands in a Part 10 file's meta information (PS3.10 7.1), which is always Explicit VR Little
 * Endian; "" when there is none at the usual place. It tells which file an item of a store response is about.
 */
export async function sopInstanceUID(file) {
  const bytes = new DataView(await file.slice(0, 4096).arrayBuffer());
  const ascii = (at, count) => String.fromCharCode(...new Uint8Array(bytes.buffer, at, count));
  if (bytes.byteLength < 144 || ascii(128, 4) !== "DICM") return "";
  let at = 132;
  while (at + 8 <= bytes.byteLength && bytes.getUint16(at, true) === 0x0002) {
    const element = bytes.getUint16(at + 2, true);
    const isLong = ["OB", "OW", "UN", "UT", "SQ"].includes(ascii(at + 4, 2));
    if (isLong && at + 12 > bytes.byteLength) return "";
    const length = isLong ? bytes.getUint32(at + 8, true) : bytes.getUint16(at + 6, true);
    const start = at + (isLong ? 12 : 8);
    if (start + length > bytes.byteLength) return "";
    if (element === 0x0003) return ascii(start, length).replace(/[\0 ]+$/, "");
    at = start + length;
  }
  return "";
}
