// One request and its answer, as they come over the wire.

import { GatehouseError, errorIn, unexpected, unreachable, unreadable } from './errors.js'
import { putByXhr } from './xhr.js'

const PATIENCE_MS = 30_000

export class Transport {
  constructor({ url, apiKey, delivery, fetch = (...given) => globalThis.fetch(...given) }) {
    this.origin = new URL(url).origin
    this.keyHeader = apiKey ? { 'X-OTP-API-Key': apiKey } : {}
    this.credentials = delivery === 'cookie' ? 'include' : 'omit'
    this.fetch = fetch
  }

  urlOf(path) {
    const url = new URL(path, this.origin)
    if (url.origin !== this.origin) throw new TypeError(`${path} is not a path of ${this.origin}`)
    return url.href
  }

  async send(method, path, { headers, body, signal, patience = PATIENCE_MS } = {}) {
    const content = body === undefined ? {} : { 'Content-Type': 'application/json' }
    const options = { method, cache: 'no-store', credentials: this.credentials, redirect: 'error' }
    const sent = { ...this.keyHeader, ...content, ...headers }
    return this.#answered(path, { ...options, headers: sent, body: serialised(body) }, patience, signal)
  }

  /** What is published for everybody: no key, no cookie, and the browser may cache it as it is told. */
  async published(path, { cache, signal }) {
    return this.#answered(path, { cache, credentials: 'omit' }, PATIENCE_MS, signal)
  }

  #answered(path, options, patience, signal) {
    return within(patience, signal, async (limit) => {
      return wholeAnswer(await this.fetch(this.urlOf(path), { ...options, signal: limit }))
    })
  }

  /** PUT a Blob, which is read as it is sent. Only XMLHttpRequest tells how far it is; Node has none. */
  put(path, { headers, body, onProgress, signal }) {
    const [url, sent] = [this.urlOf(path), { ...this.keyHeader, ...headers }]
    const withCredentials = this.credentials === 'include'
    const options = { method: 'PUT', headers: sent, body, signal, credentials: this.credentials, redirect: 'error' }
    const send = globalThis.XMLHttpRequest
      ? () => putByXhr({ url, headers: sent, body, withCredentials, onProgress, signal })
      : () => this.fetch(url, options)
    return described(signal, async () => wholeAnswer(await send()))
  }

  /** An answer whose body is read as it comes. `signal` ends it at any time. */
  async stream(method, path, { headers, signal }) {
    const options = { method, cache: 'no-store', credentials: this.credentials, redirect: 'error', signal }
    return described(signal, () => this.fetch(this.urlOf(path), { ...options, headers: { ...this.keyHeader, ...headers } }))
  }
}

/** The status, headers and JSON document (null if it has none) of an answer, whatever the status. */
export const wholeAnswer = async (answer) =>
  ({ status: answer.status, headers: answer.headers, document: documentOf(await answer.text(), answer) })

/** The document of a plain answer. Throws GatehouseError unless it is a success. */
export const plainDocument = (answer) => {
  if (answer.status >= 400) throw errorIn(answer.document, answer)
  return answer.document
}

/** The document of an answer that is encrypted if it says so. Throws GatehouseError unless it is a success. */
export const openedDocument = async (answer, keys, method, path) => {
  if (answer.headers.get('X-Encrypted') !== 'true') return unencrypted(answer)
  if (typeof answer.document?.data !== 'string') throw unreadable(answer.status)
  const document = await keys.open(answer.document.data, method, path, answer.status)
  return plainDocument({ ...answer, document })
}

/** Only an error may be plain, and an answer without a body: a success that nobody sealed is not the service's. */
const unencrypted = (answer) => {
  const document = plainDocument(answer)
  if (document !== null) throw unreadable(answer.status)
  return null
}

const serialised = (body) => (body === undefined ? undefined : JSON.stringify(body))

const documentOf = (content, { status, headers }) => {
  if (content === '') return null
  try {
    return JSON.parse(content)
  } catch {
    throw unexpected(status, headers)
  }
}

/** Work that is given up after so many milliseconds, or when the caller's signal says so. */
const within = async (milliseconds, signal, work) => {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(timedOut()), milliseconds)
  const stop = () => limit.abort(signal.reason)
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop)
  try {
    return await described(limit.signal, () => work(limit.signal))
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}

/** An abort is thrown as the caller gave it; what else kept the answer away is a GatehouseError. */
const described = async (signal, work) => {
  try {
    return await work()
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw error instanceof GatehouseError ? error : unreachable(error)
  }
}

const timedOut = () => new GatehouseError({ type: 'timeout', message: 'The service did not answer in time.' })
