// Delivery "cookie": the tokens are in cookies that no script can read. The page holds the key of the session's bodies.

import { EnvelopeKeys } from './envelope.js'
import { plainDocument } from './transport.js'
import { displayed } from './users.js'

const SESSION = '/api/auth/cookie-session'

export class CookieDelivery {
  #session = null
  #loading = null

  /** `store` keeps no secret: whom to show, and when the access cookie expires. `heard` is told who the service says it is. */
  constructor(transport, store, heard) {
    this.transport = transport
    this.store = store
    this.heard = heard
    this.asksFor = { delivery: 'cookie' }
  }

  /** The session of the cookies. A page that was just loaded asks the service for it. Null if there is none. */
  async present() {
    if (!this.#session) return this.#load()
    const kept = await this.store.read()
    if (kept?.kid === this.#session.id && kept.expires_at > this.#session.expiresAt) { // refreshed by another tab
      this.#session = { ...this.#session, expiresAt: kept.expires_at }
    }
    return this.#session
  }

  async claimed() {
    return (await this.store.read())?.user ?? null
  }

  async take(answer) {
    const { expires_in: lifetime, payload_key, payload_kid: kid, csrf_token, user } = answer
    const keys = await EnvelopeKeys.ofSession(payload_key, kid)
    const expiresAt = Date.now() + lifetime * 1000
    const claimed = user ? displayed(user) : this.#session?.claimed
    this.#session = { id: kid, keys, headers: { 'X-CSRF-Token': csrf_token }, expiresAt, lifetime, claimed }
    await this.store.write({ kid, expires_at: expiresAt, user: claimed })
    return this.#session
  }

  renewal(session) {
    return { headers: session.headers }
  }

  async forget() {
    this.#session = null
    await this.store.remove()
    return null
  }

  /** Another tab has signed in or out: the cookies are of another session now. */
  forgetWhatIsRemembered() {
    this.#session = null
  }

  /** The session of the cookies as they are now: another tab may have changed it unheard. */
  async reload() {
    this.#session = null
    return this.#load()
  }

  #load() {
    this.#loading ??= this.#asked().finally(() => { this.#loading = null })
    return this.#loading
  }

  async #asked() {
    const answer = await this.transport.send('GET', SESSION)
    if (answer.status === 401) return this.forget()
    const document = plainDocument(answer)
    const session = await this.take(document)
    this.heard(document.user)
    return session
  }
}
