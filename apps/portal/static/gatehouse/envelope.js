// The envelope of calls after sign-in: each message has a key of its own, bound to its call (docs/encryption.md).

import { expand, extract, fromBase64url, hmacKey, text, utf8 } from './bytes.js'
import { sessionChanged, unreadable } from './errors.js'
import { headerOf, openDirectly, sealDirectly } from './jwe.js'

const SALT = utf8('gatehouse/v1')
const UNRESERVED = /%(2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/gi // letters, digits and -._~, percent-encoded

/** The keys of one access token's messages or, in cookie mode, of one session's. */
export class EnvelopeKeys {
  constructor(prk, kid) {
    this.prk = prk
    this.kid = kid
  }

  static async ofToken(token) {
    return new EnvelopeKeys(await hmacKey(await extract(SALT, utf8(token))), claimsOf(token).jti)
  }

  static async ofSession(payloadKey, kid) {
    return new EnvelopeKeys(await hmacKey(fromBase64url(payloadKey)), kid)
  }

  async seal(document, method, path) {
    return sealDirectly(document, await expand(this.prk, `request ${method} ${path}`), this.kid)
  }

  /** The document of an answer. Throws GatehouseError if it is not the answer to this very call, with this very status. */
  async open(compact, method, path, status) {
    const key = await expand(this.prk, `response ${method} ${path} ${status}`)
    const kid = kidOf(compact)
    if (kid !== undefined && kid !== this.kid) throw sessionChanged(status)
    try {
      return await openDirectly(compact, key)
    } catch (cause) {
      throw unreadable(status, cause)
    }
  }

  /** What the keys of one file's stream are derived from. */
  fileMaterial(method, path) {
    return expand(this.prk, `file ${method} ${path}`)
  }
}

/** The path as both ends count it: as it is sent, without query, percent-encoded unreserved characters decoded. */
export const boundPath = (url) => new URL(url).pathname.replace(UNRESERVED, decodeURIComponent)

/** What an access token says. Nobody has verified it. */
export const claimsOf = (token) => JSON.parse(text(fromBase64url(token.split('.')[1])))

const kidOf = (compact) => {
  try {
    return headerOf(compact).kid
  } catch {
    return undefined
  }
}
