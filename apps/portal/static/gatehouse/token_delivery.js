// Delivery "body": the page holds both tokens, and keeps them in its storage.

import { EnvelopeKeys, claimsOf } from './envelope.js'
import { displayed } from './users.js'

export class TokenDelivery {
  #known = { token: null, keys: null } // deriving keys takes time

  constructor(store) {
    this.store = store
    this.asksFor = {}
  }

  /** The session that is stored now, by this tab or another. Null if there is none that can be read. */
  async present() {
    const record = await this.store.read()
    if (typeof record?.access_token !== 'string') return null
    return this.#sessionOf(record).catch(() => null)
  }

  /** Whom the stored token claims, for display. */
  async claimed() {
    return (await this.present())?.claimed ?? null
  }

  async take(answer) {
    const { access_token, refresh_token, expires_in } = answer
    const user = answer.user ? displayed(answer.user) : (await this.store.read())?.user
    await this.store.write({ access_token, refresh_token, expires_in, expires_at: Date.now() + expires_in * 1000, user })
    return this.present()
  }

  /** The body of a refresh. */
  renewal(session) {
    return { body: { refresh_token: session.refreshToken } }
  }

  async forget() {
    await this.store.remove()
  }

  /** What another tab has done is read from the storage. */
  forgetWhatIsRemembered() {}

  reload() {
    return this.present()
  }

  async #sessionOf({ access_token: token, refresh_token: refreshToken, expires_at: expiresAt, expires_in: lifetime, user }) {
    if (this.#known.token !== token) this.#known = { token, keys: await EnvelopeKeys.ofToken(token) }
    const headers = { Authorization: `Bearer ${token}` }
    const claimed = claimedIn(token, user)
    return { id: token, token, refreshToken, keys: this.#known.keys, headers, expiresAt, lifetime, claimed }
  }
}

/** The name is in no token: it is what was kept with it. Rights are left out, so that nobody can decide by them. */
const claimedIn = (token, user) => {
  const { sub, email, customer_id } = claimsOf(token)
  return { id: sub, email, name: user?.name ?? '', customer_id }
}
