// Who is signed in, for as long as the tab is open. Nothing else keeps a credential.

const entry = "gantry.credential";

/** The field that says who asks, to be put into a request's; nothing while nobody is signed in. */
export function credentialHeaders() {
  const credential = sessionStorage.getItem(entry);
  return credential ? { Authorization: credential } : {};
}

/** Whether somebody is signed in. */
export function isSignedIn() {
  return sessionStorage.getItem(entry) !== null;
}

/** Takes an API key, or a token, and forgets them again. */
export function signInWithKey(key) {
  sessionStorage.setItem(entry, `ApiKey ${key}`);
}

export function signInWithToken(token) {
  sessionStorage.setItem(entry, `Bearer ${token}`);
}

export function signOut() {
  sessionStorage.removeItem(entry);
}

/** Tells that the server asks who it is: the page then shows the form. */
export const asked = new EventTarget();

/** Looks at a status; of a 401 the page is told. */
export function noteStatus(status) {
  if (status === 401) asked.dispatchEvent(new Event("asked"));
}
