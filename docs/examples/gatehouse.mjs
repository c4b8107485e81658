// A client of Gatehouse's API for browsers and Node, with `jose` and WebCrypto alone. It holds no secret: what
// precedes sign-in is encrypted to the service's published key. docs/encryption.md says why each line is as it is.

import { CompactEncrypt, base64url, compactDecrypt, importJWK } from 'jose'

const utf8 = new TextEncoder()
const text = new TextDecoder('utf-8', { fatal: true })
const UNRESERVED = /%(2[de]|3\d|4[1-9a-f]|5[\daf]|6[1-9a-f]|7[\dae])/gi // letters, digits and -._~, percent-encoded

/** An answer that is no success: `status`, `type` (stable, to program against), `message` (for a person), and the rest. */
export class GatehouseError extends Error {
  constructor(error) {
    super(error.message)
    Object.assign(this, error, { status: error.code })
  }
}

/** Calls Gatehouse at `url` (without a path) for the customer of `apiKey`; without a key, for the default customer. */
export class Gatehouse {
  constructor(url, apiKey) {
    this.url = url
    this.headers = apiKey ? { 'X-OTP-API-Key': apiKey } : {}
  }

  /** POSTs a document before sign-in (S): the request is encrypted to the service, the answer is plain. */
  async beforeSignIn(path, document) {
    const stamped = { ...document, iat: Math.floor(Date.now() / 1000), jti: crypto.randomUUID(), htu: path }
    const published = await fetch(`${this.url}/.well-known/jwks.json`) // cached for as long as its Cache-Control says
    const jwk = (await published.json()).keys[0]
    const data = await encrypt(stamped, { alg: 'ECDH-ES', kid: jwk.kid }, await importJWK(jwk, 'ECDH-ES'))
    return read(await this.#send('POST', path, {}, data))
  }

  /** A call under an access token (T): both ways encrypted under the token's own keys. `document` may be left out. */
  async withToken(token, method, path, document) {
    const prk = await hmac(utf8.encode('gatehouse/v1'), utf8.encode(token))
    const target = path.split('?')[0].replace(UNRESERVED, decodeURIComponent)
    const kid = JSON.parse(text.decode(base64url.decode(token.split('.')[1]))).jti
    const key = await expand(prk, `request ${method} ${target}`)
    const data = document && await encrypt(document, { alg: 'dir', kid }, key)
    const answer = await this.#send(method, path, { Authorization: `Bearer ${token}` }, data)
    return read(answer, await expand(prk, `response ${method} ${target} ${answer.status}`))
  }

  #send(method, path, headers, data) {
    const body = data && JSON.stringify({ encrypted: true, data })
    const content = data ? { 'Content-Type': 'application/json' } : {}
    return fetch(this.url + path, { method, headers: { ...this.headers, ...content, ...headers }, body })
  }
}

const encrypt = (document, header, key) =>
  new CompactEncrypt(utf8.encode(JSON.stringify(document)))
    .setProtectedHeader({ enc: 'A256GCM', ...header })
    .encrypt(key)

/** The document of an answer, decrypted if it says that it is encrypted. Throws GatehouseError. */
const read = async (answer, key) => {
  let document = await answer.json()
  if (answer.headers.get('X-Encrypted') === 'true') {
    document = JSON.parse(text.decode((await compactDecrypt(document.data, key)).plaintext))
  }
  if (!answer.ok) throw new GatehouseError(document.error)
  return document
}

/** HKDF-Expand to 32 bytes is one round of HMAC (RFC 5869 section 2.3). */
const expand = (prk, info) => hmac(prk, new Uint8Array([...utf8.encode(info), 1]))

const hmac = async (key, message) => {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message))
}
