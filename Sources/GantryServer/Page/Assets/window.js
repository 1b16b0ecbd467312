// Window centre and width (PS3.3 C.11.2): what an object brings along, what it can be when it brings none, and presets.
import { request } from "./api.js";
import { number, numbers, tags, text, values } from "./dicom.js";
import { functionalGroup } from "./stack.js";

/** Windows that people expect for computed tomography, in Hounsfield units. */
export const ctPresets = [
  { name: "Soft tissue", center: 40, width: 400 },
  { name: "Lung", center: -600, width: 1500 },
  { name: "Bone", center: 500, width: 2000 },
  { name: "Brain", center: 40, width: 80 },
  { name: "Subdural", center: 75, width: 215 },
  { name: "Liver", center: 60, width: 160 },
];

/** Whether a window has a meaning: not for colour. */
export function isWindowable(dataset) {
  return (number(dataset, tags.SamplesPerPixel) ?? 1) === 1 && text(dataset, tags.PhotometricInterpretation) !== "PALETTE COLOR";
}

/** The windows an object names for a frame: `{ name, center, width }`. */
export function ownWindows(dataset, frame) {
  const from = functionalGroup(dataset, frame, tags.FrameVOILUTSequence) ?? dataset;
  const widths = numbers(from, tags.WindowWidth);
  const names = values(from, tags.WindowCenterWidthExplanation);
  return numbers(from, tags.WindowCenter)
    .map((center, index) => ({ name: names[index] ? String(names[index]) : `Window ${index + 1}`, center, width: widths[index] }))
    .filter((one) => one.width >= 1);
}

/** Least and greatest value of a frame as a window, for an object that names none: what the server shows by default. */
export async function fullWindow(dataset, path, frame, signal) {
  const bits = number(dataset, tags.BitsAllocated) ?? 16;
  const isSigned = number(dataset, tags.PixelRepresentation) === 1;
  const Type = { 8: [Uint8Array, Int8Array], 16: [Uint16Array, Int16Array], 32: [Uint32Array, Int32Array] }[bits]?.[isSigned ? 1 : 0];
  const size = (number(dataset, tags.Rows) ?? 0) * (number(dataset, tags.Columns) ?? 0) * (bits / 8);
  const transform = functionalGroup(dataset, frame, tags.PixelValueTransformationSequence) ?? dataset;
  const slope = number(transform, tags.RescaleSlope) || 1;
  const intercept = number(transform, tags.RescaleIntercept) ?? 0;
  let [least, greatest] = storedRange(number(dataset, tags.BitsStored) ?? bits, isSigned);
  if (Type && size > 0 && size <= 32e6) {
    try {
      const response = await request(`${path}/frames/${frame}`, { accept: "application/octet-stream", signal });
      const samples = new Type((await response.arrayBuffer()).slice(0, size));
      [least, greatest] = [samples[0], samples[0]];
      for (const value of samples) {
        if (value < least) least = value;
        else if (value > greatest) greatest = value;
      }
    } catch (error) {
      if (error.name === "AbortError") throw error;
      // Pixels that cannot be had leave the range of what could be stored.
    }
  }
  const ends = [least * slope + intercept, greatest * slope + intercept].sort((one, other) => one - other);
  return { center: (ends[0] + ends[1] + 1) / 2, width: Math.max(1, ends[1] - ends[0] + 1) };
}

function storedRange(bits, isSigned) {
  return isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

/** A number of a window as it is shown and sent. */
export function rounded(value) {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
