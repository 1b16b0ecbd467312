// Names of attributes and UIDs, as PS3.6 has them. Fetched once, when first needed.

const nothing = { attributes: {}, uids: {} };
let registryWanted = null;

async function fetchRegistry() {
  try {
    const response = await fetch(new URL("page/attributes.json", document.baseURI));
    if (response.ok) return await response.json();
  } catch {
    // Without the registry nothing has a name; the rest is there.
  }
  registryWanted = null;
  return nothing;
}

/** Looks up what PS3.6 registers. */
export async function dictionary() {
  registryWanted ??= fetchRegistry();
  const registry = await registryWanted;
  return {
    /** `{ keyword, name }` of a tag; private creators and group lengths have one, too. */
    attribute(tag) {
      const row = registry.attributes[tag] ?? registry.attributes[repeating(tag)];
      if (row) return { keyword: row[0], name: row[1] };
      const group = Number.parseInt(tag.slice(0, 4), 16);
      if (group % 2 === 0) return { keyword: "", name: "Unknown" };
      return { keyword: "", name: /^....00[1-9A-F]/.test(tag) ? "Private Creator" : "Private" };
    },
    /** The name of a registered UID; "" of others. */
    uid: (uid) => registry.uids[uid] ?? "",
  };
}

/** Overlays and curves: one row of the registry for many groups (PS3.5 7.6). */
function repeating(tag) {
  return /^(50|60|7F)/.test(tag) ? `${tag.slice(0, 2)}xx${tag.slice(4)}` : "";
}
