// Calls of the signed-in user: encrypted both ways, tried once more where a new token or a fresh proof helps.

import { boundPath } from './envelope.js'
import { openedDocument } from './transport.js'

const SAFE = new Set(['GET', 'HEAD'])

export class Calls {
  #proving = null

  /** `prove` has the user prove once more who it is; null if the app has no form for it. */
  constructor({ transport, sessions, prove }) {
    this.transport = transport
    this.sessions = sessions
    this.prove = prove
  }

  /** The document of the answer. Throws GatehouseError unless it is a success. */
  document(path, { method = 'GET', json, signal, headers } = {}, options) {
    return this.perform((session) => this.#once(session, path, { method, json, signal, headers }), {
      ...options, mayRepeat: SAFE.has(method), signal,
    })
  }

  /** `attempt(session)`, at most once more with a newer session, and at most once more after a fresh proof. */
  async perform(attempt, { stepUp = true, ...options } = {}) {
    try {
      return await this.#withSession(attempt, options)
    } catch (error) {
      if (!stepUp || !this.prove || error.type !== 'insufficient_user_authentication') throw error
      await this.#proven(error)
      return this.#withSession(attempt, options)
    }
  }

  async #withSession(attempt, { mayRepeat = false, signal }) {
    const session = await unlessAborted(signal, () => this.sessions.current())
    try {
      return await attempt(session)
    } catch (error) {
      const next = await this.sessions.after(error, session)
      if (error.status < 400 && !mayRepeat) throw error // it was done, though the answer cannot be read
      return this.#lastAttempt(attempt, next)
    }
  }

  async #lastAttempt(attempt, session) {
    try {
      return await attempt(session)
    } catch (error) {
      if (error.type === 'session_ended' || error.type === 'user_inactive') await this.sessions.end(error, session)
      throw error
    }
  }

  async #once(session, path, { method, json, signal, headers }) {
    const target = boundPath(this.transport.urlOf(path))
    const body = json === undefined ? undefined : { encrypted: true, data: await session.keys.seal(json, method, target) }
    const sent = { ...headers, ...session.headers }
    const answer = await this.transport.send(method, path, { headers: sent, body, signal })
    return openedDocument(answer, session.keys, method, target)
  }

  /** The user is asked once, however many calls need it. */
  #proven(error) {
    this.#proving ??= Promise.resolve(this.prove(error)).finally(() => { this.#proving = null })
    return this.#proving
  }
}

/** The caller may give up; a refresh that others wait for too goes on. */
const unlessAborted = async (signal, work) => {
  if (!signal) return work()
  signal.throwIfAborted()
  let stop
  const aborted = new Promise((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
  })
  return Promise.race([work(), aborted]).finally(() => signal.removeEventListener('abort', stop))
}
