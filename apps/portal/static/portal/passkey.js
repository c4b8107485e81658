// Forms that send a passkey: at the press of their button, or chosen from what the browser fills in.
import { say } from "./forms.js";
import { available, create, fillsIn, get, stop } from "./webauthn.js";

const FRESH = 4 * 60 * 1000; // ms; what a passkey signs is good for five minutes

for (const form of document.querySelectorAll("form[data-passkey], form[data-new-passkey]")) {
  if (!available()) {
    if (form.dataset.unavailable) say(form, form.dataset.unavailable);
    continue;
  }
  form.hidden = false;
  open(form.querySelector("button"), () => ask(form));
  if ("autofill" in form.dataset) offer(form);
}

/** Until a script listens, a press would be lost: so the page is served with the button closed. */
function open(button, pressed) {
  button.addEventListener("click", pressed);
  button.disabled = false;
  if (button.autofocus) button.focus();
}

async function ask(form) {
  form.querySelector("[data-said]")?.remove();
  try {
    const made = form.dataset.newPasskey
      ? await create(JSON.parse(form.dataset.newPasskey))
      : await get(JSON.parse(await options(form)));
    send(form, made);
  } catch (error) {
    const isThere = error.name === "InvalidStateError"; // the device has a passkey of this account's
    say(form, (isThere && form.dataset.there) || form.dataset.refused); // else cancelled, timed out, none there: all alike
    if ("autofill" in form.dataset) offer(form);
  }
}

/** Passkeys among what the browser fills in. It waits as long as the page is open, so its options are renewed. */
async function offer(form) {
  if (!(await fillsIn())) return;
  const renew = setTimeout(() => (stop(), offer(form)), FRESH);
  try {
    send(form, await get(JSON.parse(await options(form)), { mediation: "conditional" }));
  } catch {
    clearTimeout(renew); // another ceremony has taken its place, or the browser would not
  }
}

/** The form's options; from the page loaded anew when they are old. */
async function options(form) {
  if (performance.now() < FRESH || !("autofill" in form.dataset)) return form.dataset.passkey;
  const page = await (await fetch(location.href)).text();
  const found = new DOMParser().parseFromString(page, "text/html").querySelector("form[data-passkey][data-autofill]");
  return found?.dataset.passkey ?? form.dataset.passkey;
}

function send(form, made) {
  form.elements.credential.value = JSON.stringify(made);
  form.requestSubmit();
}
