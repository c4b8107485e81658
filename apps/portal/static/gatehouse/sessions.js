// The session of this page: kept fresh, shared with the other tabs, and ended when the service says so.

import { notSignedIn, sessionChanged } from './errors.js'
import { plainDocument } from './transport.js'

const REFRESH = '/api/auth/refresh'
/** Shorter than the grace for which an old refresh token gives the same successor (10 s): what was lost is asked for again. */
const REFRESH_PATIENCE_MS = 8_000
const MARGIN_MS = 60_000
const MARGIN_SHARE = 0.2 // of a short lifetime
const LOST = new Set(['network_error', 'timeout'])
const RENEWABLE = new Set(['token_expired', 'token_revoked', 'authentication_required'])
const OVER = new Set([
  'invalid_token', 'malformed_token', 'session_ended', 'user_inactive', 'refresh_token_reused', 'session_changed',
])

export class Sessions {
  #renewing = null
  #actsFor = null // the id of the user for whom this page believes to call

  /** `ended` is told, with the error, when nobody is signed in any more; `changed` when it is somebody else. */
  constructor({ transport, delivery, tabs, ended, changed }) {
    this.transport = transport
    this.delivery = delivery
    this.tabs = tabs
    this.ended = ended
    this.changed = changed
  }

  /** A session to call with, refreshed if it is about to expire. Throws GatehouseError if nobody is signed in. */
  async current() {
    const session = await this.#present()
    return isDue(session) ? this.renewed(session) : session
  }

  /** The answer of a sign-in begins a session. */
  async begin(answer) {
    const session = await this.delivery.take(answer)
    this.#actsFor = session.claimed.id
    return session
  }

  /** The app has been told that somebody else may be signed in. */
  forgetWhom() {
    this.#actsFor = null
    this.delivery.forgetWhatIsRemembered()
  }

  /** The session to try the same call with once more. Throws the error if there is none. */
  async after(error, session) {
    if (error.status === 401 && RENEWABLE.has(error.type)) return this.renewed(session)
    if (!OVER.has(error.type)) throw error
    const present = await this.delivery.reload()
    if (present && present.id !== session.id) return this.#ofSameUser(present)
    await this.end(error, session)
    throw error
  }

  /** This session is over. Another one that has begun meanwhile goes on. */
  async end(error, session) {
    const present = await this.delivery.present()
    if (present && present.id !== session.id) return
    await this.delivery.forget()
    this.#actsFor = null
    this.ended(error)
  }

  /** A newer session than this one, by one refresh for all calls of all tabs. */
  renewed(session) {
    this.#renewing ??= this.tabs.alone(() => this.#renewedInTurn(session)).finally(() => { this.#renewing = null })
    return this.#renewing
  }

  async #renewedInTurn(session) {
    const present = await this.#present()
    if (isNewer(present, session) && !isDue(present)) return present // another tab was quicker
    try {
      return await this.delivery.take(await this.#refreshed(present))
    } catch (error) {
      if (error.type === 'csrf_failed') return this.#ofTheCookies(present, error)
      if (!endsSession(error)) throw error // what was only lost on its way signs nobody out
      const newest = await this.delivery.present()
      if (newest && isNewer(newest, present)) return newest
      await this.end(error, present)
      throw error
    }
  }

  /** The cookies are of another session than this page knows: another tab has signed in unheard. */
  async #ofTheCookies(session, error) {
    const present = await this.delivery.reload()
    if (!present || present.id === session.id) throw error
    return this.#ofSameUser(present)
  }

  /** Asked again if the answer was lost: the old token gives the same successor for a while. */
  async #refreshed(session) {
    const options = { ...this.delivery.renewal(session), patience: REFRESH_PATIENCE_MS }
    const ask = async () => plainDocument(await this.transport.send('POST', REFRESH, options))
    return ask().catch((error) => {
      if (!LOST.has(error.type)) throw error
      return ask()
    })
  }

  async #present() {
    const session = await this.delivery.present()
    if (session) return this.#ofSameUser(session)
    const error = notSignedIn()
    if (this.#actsFor) this.ended(error)
    this.#actsFor = null
    throw error
  }

  /** What was begun for one user is never done for another. */
  #ofSameUser(session) {
    const before = this.#actsFor
    this.#actsFor = session.claimed.id
    if (before === null || before === session.claimed.id) return session
    this.changed()
    throw sessionChanged(0)
  }
}

const isDue = ({ expiresAt, lifetime }) => Date.now() >= expiresAt - Math.min(MARGIN_MS, lifetime * 1000 * MARGIN_SHARE)

const isNewer = (present, session) => present.id !== session.id || present.expiresAt > session.expiresAt

/** A refusal of the refresh token itself. Without a cookie, the field is missing. */
const endsSession = ({ status, type }) =>
  (status === 401 && type !== 'invalid_api_key' && type !== 'api_key_required') ||
  (status === 400 && (type === 'malformed_token' || type === 'validation_error'))
