// navigator.credentials with JSON in and out, also where browsers do not translate it themselves yet (WebAuthn section 5.1.8).

let pending = null; // browsers allow one ceremony at a time: a new one ends the other

/** Whether this browser has passkeys at all. */
export const available = () => typeof PublicKeyCredential === "function" && isSecureContext;

/** Whether it offers them among what it fills in. */
export const fillsIn = async () =>
  available() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;

/** A passkey of the user's as JSON. `mediation: "conditional"` waits until one is chosen from what the browser fills in. */
export async function get(options, { mediation } = {}) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: (options.allowCredentials ?? []).map(withBytes),
  };
  const made = await navigator.credentials.get({ publicKey, mediation, signal: signal() });
  const { authenticatorData, clientDataJSON, signature, userHandle } = made.response;
  return json(made, { authenticatorData, clientDataJSON, signature, ...(userHandle && { userHandle }) });
}

/** A new passkey as JSON. */
export async function create(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: withBytes(options.user),
    excludeCredentials: (options.excludeCredentials ?? []).map(withBytes),
  };
  const made = await navigator.credentials.create({ publicKey, signal: signal() });
  const { attestationObject, clientDataJSON } = made.response;
  const answer = json(made, { attestationObject, clientDataJSON });
  answer.response.transports = made.response.getTransports?.() ?? [];
  return answer;
}

/** End a ceremony that waits. */
export const stop = () => pending?.abort();

function signal() {
  pending?.abort();
  pending = new AbortController();
  return pending.signal;
}

function json(made, response) {
  const texts = Object.fromEntries(Object.entries(response).map(([name, value]) => [name, text(value)]));
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: texts,
    authenticatorAttachment: made.authenticatorAttachment ?? undefined,
    clientExtensionResults: made.getClientExtensionResults(),
  };
}

const withBytes = (named) => ({ ...named, id: bytes(named.id) });

function bytes(base64url) {
  const plain = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
