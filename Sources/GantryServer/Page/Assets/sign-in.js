// The form that asks who it is, shown when the server does.
import { h } from "./dom.js";
import { credentialHeaders, signInWithKey, signInWithToken, signOut } from "./session.js";

/** What a refused attempt is told. */
function explanation(status) {
  if (status === 429) return "Too many attempts. Wait a minute, then try again.";
  if (status >= 500) return "The server cannot check this now. Try again in a moment.";
  return "That is not known here, or no longer.";
}

async function token(id, secret) {
  const response = await fetch(new URL("token", document.baseURI), {
    method: "POST",
    // Else the browser would answer a refusal with a form of its own.
    credentials: "omit",
    body: new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: secret }),
  });
  return response.ok ? { token: (await response.json()).access_token } : { status: response.status };
}

/** Whether the credential that is kept is taken; 200, or the status that says no. */
async function check() {
  const response = await fetch(new URL("test-token", document.baseURI), { headers: credentialHeaders() });
  return response.status;
}

/** The view of the form; `done` is called once somebody is signed in. */
export function signInView(done) {
  const key = h("input", { type: "password", id: "sign-in-key", autocomplete: "off", spellcheck: "false" });
  const id = h("input", { type: "text", id: "sign-in-id", autocomplete: "username", spellcheck: "false" });
  const secret = h("input", { type: "password", id: "sign-in-secret", autocomplete: "current-password" });
  const message = h("p", { class: "sign-in-message", role: "alert" });

  async function attempt(event) {
    event.preventDefault();
    message.textContent = "";
    let status = 0;
    try {
      if (key.value.trim()) {
        signInWithKey(key.value.trim());
        status = await check();
      } else if (id.value.trim() && secret.value) {
        const answer = await token(id.value.trim(), secret.value.trim());
        status = answer.status ?? 200;
        if (answer.token) signInWithToken(answer.token);
      } else {
        message.textContent = "Give an API key, or a client id and its secret.";
        return;
      }
    } catch {
      message.textContent = "The server cannot be reached.";
      return;
    }
    if (status === 200) {
      key.value = "";
      secret.value = "";
      done();
    } else {
      signOut();
      message.textContent = explanation(status);
    }
  }

  const form = h("form", { class: "sign-in", on: { submit: attempt }, novalidate: true },
    h("h1", { text: "Sign in" }),
    h("p", { text: "This gateway asks who uses it. What you enter stays in this tab and is forgotten with it." }),
    h("label", { htmlFor: "sign-in-key", text: "API key" }), key,
    h("p", { class: "fine", text: "or" }),
    h("label", { htmlFor: "sign-in-id", text: "Client id" }), id,
    h("label", { htmlFor: "sign-in-secret", text: "Client secret" }), secret,
    message,
    h("button", { type: "submit", class: "primary" }, "Sign in"));
  return { title: "Sign in", element: h("div", { class: "page" }, form), shown: () => key.focus() };
}
