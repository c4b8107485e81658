// Calls before sign-in: the request is encrypted to the service's public key, so that no secret is in the page.

import { sealTo } from './jwe.js'
import { plainDocument } from './transport.js'

const KEYS = '/.well-known/jwks.json'
const DEFAULT_LIFETIME_SECONDS = 300

export class Service {
  #known = null
  #behind = 0 // milliseconds by which this device's clock is behind the service's

  constructor(transport) {
    this.transport = transport
  }

  /** POST a document. Asked once more if the device's clock is wrong, or if the service has a new key. */
  async post(path, document, { signal } = {}) {
    const key = await this.#key(signal)
    try {
      return await this.#sent(path, document, key, signal)
    } catch (error) {
      if (error.type === 'stale_request' && this.#learnTime(error.timestamp)) return this.#sent(path, document, key, signal)
      if (error.type !== 'decryption_failed') throw error
      const newer = await this.#fetched('reload', signal)
      if (newer.kid === key.kid) throw error
      return this.#sent(path, document, newer, signal)
    }
  }

  async #sent(path, document, key, signal) {
    const iat = Math.floor((Date.now() + this.#behind) / 1000)
    const stamped = { ...document, iat, jti: crypto.randomUUID(), htu: new URL(this.transport.urlOf(path)).pathname }
    const body = { encrypted: true, data: await sealTo(stamped, key) }
    return plainDocument(await this.transport.send('POST', path, { body, signal }))
  }

  /** The time of an error is in its body: `Date` cannot be read across origins, and a cached answer has an old one. */
  #learnTime(timestamp) {
    const theirs = Date.parse(timestamp)
    if (Number.isNaN(theirs)) return false
    this.#behind = theirs - Date.now()
    return true
  }

  async #key(signal) {
    const now = Date.now()
    if (this.#known && now < this.#known.until && now >= this.#known.since) return this.#known.key
    return this.#fetched('default', signal)
  }

  async #fetched(cache, signal) {
    const answer = await this.transport.published(KEYS, { cache, signal })
    const key = plainDocument(answer).keys.find(({ use, kty, crv }) => use === 'enc' && kty === 'EC' && crv === 'P-256')
    const since = Date.now()
    this.#known = { key, since, until: since + 1000 * lifetimeIn(answer.headers.get('Cache-Control')) }
    return key
  }
}

const lifetimeIn = (cacheControl) => Number(/max-age=(\d+)/.exec(cacheControl ?? '')?.[1] ?? DEFAULT_LIFETIME_SECONDS)
