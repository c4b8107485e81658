// WebAuthn in the browser, in the JSON form of its Level 3, also where the browser has no such form yet.

import { fromBase64url, toBase64url } from './bytes.js'
import { GatehouseError } from './errors.js'

/** A waiting autofill must go before another ceremony begins: browsers allow one at a time. */
let waiting = null

export const areSupported = () => Boolean(globalThis.PublicKeyCredential && globalThis.navigator?.credentials)

export const canAutofill = async () =>
  areSupported() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true

/** The credential that a new passkey is enrolled with. Throws the browser's own errors: NotAllowedError if the user declines. */
export const create = async (options, { signal } = {}) => {
  begin()
  const publicKey = {
    ...options,
    challenge: fromBase64url(options.challenge),
    user: { ...options.user, id: fromBase64url(options.user.id) },
    excludeCredentials: options.excludeCredentials?.map(described),
  }
  return jsonOf(await navigator.credentials.create({ publicKey, signal }))
}

/** The credential that proves who holds a passkey. */
export const get = async (options, { signal } = {}) => {
  begin()
  return jsonOf(await navigator.credentials.get({ publicKey: requested(options), signal }))
}

/**
 * The same, offered among the suggestions of a form's field (autocomplete="username webauthn"). `fetchOptions` is called
 * again before a challenge expires. Null where the browser cannot do it, or when the signal or another ceremony ends it.
 */
export const autofill = async (fetchOptions, { signal } = {}) => {
  if (!(await canAutofill())) return null
  const mine = begin()
  const stop = () => mine.abort()
  const isOver = () => mine.signal.aborted || signal?.aborted
  signal?.addEventListener('abort', stop)
  try {
    while (!isOver()) {
      const credential = await offered(await fetchOptions(), mine.signal)
      if (credential && !mine.signal.aborted) return jsonOf(credential)
    }
    return null
  } catch (error) {
    if (isOver()) return null // it ended while options were on their way
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    if (waiting === mine) waiting = null
  }
}

/** Waits for a choice for as long as the challenge can live, less a tenth for the way back. Null after that. */
const offered = async (options, signal) => {
  const turn = new AbortController()
  const stop = () => turn.abort()
  const timer = setTimeout(stop, (options.timeout ?? 300_000) * 0.9)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    return await navigator.credentials.get({ publicKey: requested(options), mediation: 'conditional', signal: turn.signal })
  } catch (error) {
    if (turn.signal.aborted) return null
    throw error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

const begin = () => {
  if (!areSupported()) {
    throw new GatehouseError({ type: 'passkeys_unsupported', message: 'This browser knows no passkeys.' })
  }
  waiting?.abort()
  waiting = new AbortController()
  return waiting
}

const requested = (options) => ({
  ...options,
  challenge: fromBase64url(options.challenge),
  allowCredentials: options.allowCredentials?.map(described),
})

const described = (credential) => ({ ...credential, id: fromBase64url(credential.id) })

/** PublicKeyCredential.toJSON() is not everywhere, and some password managers break it. */
const jsonOf = (credential) => ({
  id: credential.id,
  rawId: encoded(credential.rawId),
  type: credential.type,
  authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
  clientExtensionResults: credential.getClientExtensionResults(),
  response: responseOf(credential.response),
})

const RESPONSE_MEMBERS = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']

const responseOf = (response) => {
  const members = RESPONSE_MEMBERS.filter((name) => response[name]).map((name) => [name, encoded(response[name])])
  const transports = response.getTransports?.()
  return { ...Object.fromEntries(members), ...(transports ? { transports } : {}) }
}

const encoded = (buffer) => toBase64url(new Uint8Array(buffer))
