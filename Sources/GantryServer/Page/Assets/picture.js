// Pictures in img elements. The browser fetches them itself, without our credential: signed in, we do it for it.
import { request, service } from "./api.js";
import { isSignedIn } from "./session.js";

const paths = new WeakMap();

const sight = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    sight.unobserve(target);
    load(target, paths.get(target));
  }
}, { rootMargin: "200px" });

async function load(image, path) {
  try {
    const response = await request(path, { accept: "image/jpeg" });
    const url = URL.createObjectURL(await response.blob());
    image.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
    image.src = url;
  } catch {
    image.dispatchEvent(new Event("error"));
  }
}

/** Shows what `path` below the service root gives, once the element comes into sight. */
export function showPicture(image, path) {
  if (!isSignedIn()) {
    image.src = service + path;
    return;
  }
  paths.set(image, path);
  sight.observe(image);
}
