// What the parts of the module have in common: one session, one user, and the other tabs.

import { Calls } from './calls.js'
import { CookieDelivery } from './cookie_delivery.js'
import { Events } from './events.js'
import { Service } from './service.js'
import { Sessions } from './sessions.js'
import { Store } from './storage.js'
import { Tabs } from './tabs.js'
import { TokenDelivery } from './token_delivery.js'
import { Transport } from './transport.js'
import { KnownUser } from './users.js'

const ME = '/api/auth/me'
const LOGOUT = '/api/auth/logout'
const KEY_WITHOUT_SESSION = new Set(['invalid_api_key', 'api_key_required'])

export class Core {
  #known = new KnownUser()

  constructor({ url, apiKey, delivery, storage, fetch, onReauthenticate }) {
    this.events = new Events()
    this.transport = new Transport({ url, apiKey, delivery, fetch })
    this.service = new Service(this.transport)
    const name = nameFor(this.transport.origin, apiKey, delivery)
    const store = Store.open(storage, name)
    this.delivery = delivery === 'cookie'
      ? new CookieDelivery(this.transport, store, (user) => this.known(user))
      : new TokenDelivery(store)
    const isShared = delivery === 'cookie' || store.isShared
    this.tabs = new Tabs(name, { isShared, hear: (message) => this.#hear(message), wake: () => this.#wake() })
    this.sessions = new Sessions({
      transport: this.transport,
      delivery: this.delivery,
      tabs: this.tabs,
      ended: (error) => this.#over(error.type),
      changed: () => this.#elsewhere(),
    })
    const prove = onReauthenticate && ((error) => onReauthenticate({ maxAge: error.maxAge }))
    this.calls = new Calls({ transport: this.transport, sessions: this.sessions, prove })
  }

  /** The user as the service told it in the last five minutes, or null. */
  get user() {
    return this.#known.user
  }

  /** The service has said who is signed in. */
  known(user) {
    this.#known.note(user)
    this.events.emit('user', { user: this.user, verified: true })
  }

  /** The answer of a way in, without the tokens: who is signed in, or what is still missing. */
  async entered(answer) {
    if (answer.requires_2fa) return answer
    await this.sessions.begin(answer)
    this.known(answer.user)
    this.tabs.tell('signed-in')
    this.events.emit('signed-in', { user: this.user, here: true })
    return withoutSecrets(answer)
  }

  /** Ends the session. Without an answer it goes on: then this throws, and with cookies the user is still signed in. */
  async logout({ signal } = {}) {
    const holdsTokens = this.delivery instanceof TokenDelivery
    try {
      await this.calls.document(LOGOUT, { method: 'POST', signal }, { stepUp: false })
    } catch (error) {
      if (error.status === 401) return // it was over already
      if (holdsTokens || isPlainSuccess(error)) await this.signedOut('logout')
      if (isPlainSuccess(error)) return
      throw error
    }
    await this.signedOut('logout')
  }

  /** For your own servers, with delivery "body". */
  async accessToken() {
    const { token } = await this.sessions.current()
    if (!token) throw new TypeError('With cookies, no script has the token.')
    return token
  }

  /** This page has ended the session. */
  async signedOut(reason) {
    await this.delivery.forget()
    this.sessions.forgetWhom()
    this.#over(reason)
  }

  /** First whom the stored token claims, then whom the service knows. */
  async* restored() {
    if (this.user) return yield { user: this.user, verified: true }
    const claimed = await this.delivery.claimed()
    if (claimed) yield { user: claimed, verified: false }
    yield { user: await this.askedUser(), verified: true }
  }

  /** The user as the service knows it, or null if nobody is signed in. */
  async askedUser() {
    if (!this.user) this.sessions.forgetWhom() // whoever it is by now
    try {
      await this.sessions.current()
      if (!this.user) this.known(await this.calls.document(ME))
      return this.user
    } catch (error) {
      if (error.status === 401 && !KEY_WITHOUT_SESSION.has(error.type)) return null
      throw error
    }
  }

  #over(reason) {
    this.#known.forget()
    this.tabs.tell('signed-out')
    this.events.emit('user', { user: null, verified: true })
    this.events.emit('signed-out', { reason, here: true })
  }

  /** Another tab says what it has done. */
  #hear(message) {
    if (message === 'signed-in') this.#elsewhere()
    if (message === 'signed-out') this.#outElsewhere()
  }

  #elsewhere() {
    this.#known.forget()
    this.sessions.forgetWhom()
    this.events.emit('signed-in', { user: null, here: false })
  }

  #outElsewhere() {
    this.#known.forget()
    this.sessions.forgetWhom()
    this.events.emit('user', { user: null, verified: true })
    this.events.emit('signed-out', { reason: 'elsewhere', here: false })
  }

  /** A page that comes back from the browser's cache has heard nothing meanwhile. */
  #wake() {
    this.#known.forget()
    this.sessions.forgetWhom()
    this.events.emit('woken', {})
  }
}

/** One name for each service, customer and delivery: apps of one origin may have several. */
const nameFor = (origin, apiKey, delivery) => `gatehouse ${origin} ${apiKey?.split('_')[2] ?? 'default'} ${delivery}`

/** Where the access cookie had gone, the refresh cookie has ended the session: there was no key to encrypt the answer with. */
const isPlainSuccess = ({ type, status }) => type === 'unreadable_answer' && status === 200

const SECRETS = new Set(['access_token', 'refresh_token', 'payload_key', 'payload_kid', 'csrf_token', 'token_type', 'expires_in'])

const withoutSecrets = (answer) => Object.fromEntries(Object.entries(answer).filter(([name]) => !SECRETS.has(name)))
