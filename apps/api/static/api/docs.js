// /api/docs: encrypts a call as a client would, sends it to this service, and shows all four messages.
// What is typed stays in the form: nothing is stored, and no field has a name by which a browser would send it.

import { fromBase64url, toBase64url, utf8 } from '../gatehouse/bytes.js'
import { EnvelopeKeys, boundPath } from '../gatehouse/envelope.js'
import { sealDirectly, sealTo } from '../gatehouse/jwe.js'

const KEYS = '/.well-known/jwks.json'
const HEX = /^[0-9a-f]{64}$/i
const KEY_BYTES = 32
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])

const at = (name) => document.getElementById(`try-${name}`)
const typed = (name) => at(name).value.trim()
const pretty = (value) => JSON.stringify(value, null, 2)

/** What keeps a call from being sent, or its answer from being opened, in words for the person at the form. */
class Fault extends Error {}

const chosen = () => at('call').selectedOptions[0].dataset

const choose = () => {
  const { method, path, envelope, request } = chosen()
  at('path').value = path
  at('document').value = request
  for (const field of document.querySelectorAll('[data-for]')) {
    field.hidden = field.dataset.for === 'document' ? !WITH_BODY.has(method) : field.dataset.for !== envelope
  }
}

const given = () => {
  if (!WITH_BODY.has(chosen().method) || !typed('document')) return undefined
  try {
    return JSON.parse(typed('document'))
  } catch (error) {
    throw new Fault(`The document is not JSON: ${error.message}`)
  }
}

const destination = () => {
  const url = new URL(typed('path'), location.origin)
  if (url.origin !== location.origin) throw new Fault('The path leads to another service.')
  if (/[{}]|%7B/i.test(url.pathname)) throw new Fault('Fill in what stands in braces in the path.')
  return url
}

const header = (name, value) => {
  if (!/^[\x21-\x7e]*$/.test(value)) throw new Fault(`The ${name} has characters that none has.`)
  return value
}

/** A call as it goes out: `plain` before it was encrypted, and `open`, which makes the answer's document plain. */
const prepared = {
  service: async (url) => {
    const plain = { ...given(), iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID(), htu: url.pathname }
    return { plain, body: pretty({ encrypted: true, data: await sealed(plain) }) }
  },
  token: async (url, method) => {
    const token = header('access token', typed('token'))
    const keys = await EnvelopeKeys.ofToken(token).catch(() => { throw new Fault('An access token is needed: try a sign-in first, or paste one.') })
    const [plain, path] = [given(), boundPath(url.href)]
    const body = plain && pretty({ encrypted: true, data: await keys.seal(plain, method, path) })
    const open = (envelope, status) => keys.open(envelope.data, method, path, status)
    return { plain, body, open, headers: { Authorization: `Bearer ${token}` } }
  },
  plain: async () => {
    const plain = given()
    return { plain, body: plain && pretty(plain) }
  },
  form: async () => {
    const plain = given()
    return { plain, body: new URLSearchParams(plain).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }
  },
}

const sealed = async (plain) => {
  const secret = typed('secret')
  if (!secret) return sealTo(plain, await published())
  const bytes = keyBytes(secret)
  return sealDirectly(plain, bytes, await thumbprint(bytes))
}

const keyBytes = (secret) => {
  const bytes = HEX.test(secret) ? Uint8Array.from(secret.match(/../g), (pair) => parseInt(pair, 16)) : decoded(secret)
  if (bytes?.length !== KEY_BYTES) throw new Fault('SERVICE_ENCRYPTION_KEY is 32 bytes: 64 hex digits, or base64url.')
  return bytes
}

const decoded = (secret) => {
  try {
    return fromBase64url(secret)
  } catch {
    return null
  }
}

/** RFC 7638. */
const thumbprint = async (bytes) => {
  const jwk = utf8(JSON.stringify({ k: toBase64url(bytes), kty: 'oct' }))
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', jwk)))
}

const published = async () => {
  const { keys } = await (await fetch(KEYS, { credentials: 'omit' })).json()
  return keys.find(({ use, crv }) => use === 'enc' && crv === 'P-256')
}

const send = async () => {
  const [{ method, envelope }, url] = [chosen(), destination()]
  const call = await prepared[envelope](url, method)
  const key = header('API key', typed('key'))
  const headers = { ...(call.body && { 'Content-Type': 'application/json' }), ...call.headers, ...(key && { 'X-OTP-API-Key': key }) }
  const options = { method, headers, body: call.body, credentials: 'omit', cache: 'no-store', redirect: 'error' }
  const answer = await fetch(url, options).catch(() => { throw new Fault('No answer came.') })
  show(call, await messagesOf(answer, call))
}

const messagesOf = async (answer, { open }) => {
  const came = await answer.text()
  const document = parsed(came)
  const isSealed = answer.headers.get('X-Encrypted') === 'true'
  const opened = isSealed ? await open(document, answer.status).catch(() => 'It does not open under this token.') : document
  return { status: answer.status, came: document ? pretty(document) : came, opened, isSealed }
}

const parsed = (content) => {
  try {
    return JSON.parse(content)
  } catch {
    return null
  }
}

const show = ({ plain, body }, { status, came, opened, isSealed }) => {
  const error = opened?.error
  at('outcome').textContent = `${status}: ${error ? `${error.type ?? error}. ${error.message ?? ''}` : status < 400 ? 'done.' : 'refused.'}`
  at('outcome').className = `outcome ${status < 400 ? 'done' : 'fault'}`
  at('asked').textContent = plain ? pretty(plain) : 'No document.'
  at('sent').textContent = body ?? 'No body.'
  at('came').textContent = came || 'No body.'
  at('opened').textContent = isSealed || opened ? pretty(opened) : 'No document.'
  at('messages').hidden = false
  if (typeof opened?.access_token === 'string') at('token').value = opened.access_token
}

const submitted = async (event) => {
  event.preventDefault()
  const button = event.submitter ?? at('form').querySelector('button')
  button.disabled = true
  at('messages').hidden = true
  at('outcome').className = 'outcome'
  at('outcome').textContent = 'Asking …'
  try {
    await send()
  } catch (error) {
    at('outcome').className = 'outcome fault'
    at('outcome').textContent = error instanceof Fault ? error.message : 'The call could not be made.'
  } finally {
    button.disabled = false
    button.focus({ preventScroll: true })
  }
}

const tryThis = (event) => {
  const id = event.target.closest('[data-try]')?.dataset.try
  if (!id) return
  event.preventDefault() // following the link would take the focus away again
  at('call').value = id
  choose()
  at('call').focus()
}

at('call').addEventListener('change', choose)
at('form').addEventListener('submit', submitted)
document.getElementById('calls').addEventListener('click', tryThis)
choose()
