// What can be scrolled through: the single-frame images of a series together, each multi-frame object by itself.
import { number, numbers, tags, text, values } from "./dicom.js";

/**
 * Stacks of a series, in order: `{ kind: "images" | "clip" | "document", items }`, each item an image of an instance or,
 * with `frame` from 1, of a multi-frame one.
 */
export function stacksOf(instances) {
  const stacks = [];
  let images = null;
  for (const found of instances) {
    const instance = text(found, tags.SOPInstanceUID);
    const one = { instance, sopClass: text(found, tags.SOPClassUID), number: text(found, tags.InstanceNumber) };
    const rows = number(found, tags.Rows);
    const columns = number(found, tags.Columns);
    const frames = number(found, tags.NumberOfFrames) ?? 1;
    if (!rows || !columns) {
      stacks.push({ kind: "document", items: [{ ...one, frame: 1, frames: 0 }] });
    } else if (frames > 1) {
      const items = Array.from({ length: frames }, (_, index) => ({ ...one, rows, columns, frame: index + 1, frames }));
      stacks.push({ kind: "clip", items });
    } else {
      if (!images) {
        images = { kind: "images", items: [] };
        stacks.push(images);
      }
      images.items.push({ ...one, rows, columns, frame: 1, frames: 1 });
    }
  }
  return stacks;
}

/** What a stack is called in the list of a series' stacks. */
export function stackTitle(stack) {
  const [first] = stack.items;
  if (stack.kind === "clip") return `${first.number ? `${first.number} · ` : ""}${stack.items.length} frames`;
  if (stack.kind === "images") return stack.items.length === 1 ? "1 image" : `${stack.items.length} images`;
  return `${first.number ? `${first.number} · ` : ""}no image`;
}

/** An item of a functional group that applies to a frame: its own before the shared one (PS3.3 C.7.6.16). */
export function functionalGroup(dataset, frame, tag) {
  const own = values(dataset, tags.PerFrameFunctionalGroupsSequence)[frame - 1];
  const shared = values(dataset, tags.SharedFunctionalGroupsSequence)[0];
  return values(own, tag)[0] ?? values(shared, tag)[0];
}

/** Height of a pixel by its width. */
export function pixelAspect(dataset, frame) {
  const measures = functionalGroup(dataset, frame, tags.PixelMeasuresSequence);
  for (const [from, tag] of [[dataset, tags.PixelSpacing], [measures, tags.PixelSpacing], [dataset, tags.PixelAspectRatio]]) {
    const [vertical, horizontal] = numbers(from, tag);
    if (vertical > 0 && horizontal > 0) return vertical / horizontal;
  }
  return 1;
}

/** Frames in a second, as the object has it; `null` when it does not tell. */
export function frameRate(dataset) {
  const times = numbers(dataset, tags.FrameTimeVector).slice(1).filter((time) => time > 0);
  const average = times.reduce((sum, time) => sum + time, 0) / times.length;
  const time = number(dataset, tags.FrameTime) || average;
  const rate = number(dataset, tags.RecommendedDisplayFrameRate) || number(dataset, tags.CineRate) || (time > 0 ? 1000 / time : null);
  return rate > 0 ? rate : null;
}
