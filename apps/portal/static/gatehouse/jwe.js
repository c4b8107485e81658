// Compact JWE (RFC 7516) as the service speaks it: `dir` and `ECDH-ES` on P-256, both with A256GCM.

import { concatenated, fromBase64url, text, toBase64url, uint32, utf8 } from './bytes.js'

const ENCRYPTION = 'A256GCM'
const CURVE = { name: 'ECDH', namedCurve: 'P-256' }
const IV_BYTES = 12
const TAG_BYTES = 16

/** Encrypt a document under 32 bytes that both sides know. */
export const sealDirectly = (document, bytes, kid) =>
  encrypted(utf8(JSON.stringify(document)), bytes, { alg: 'dir', enc: ENCRYPTION, kid })

/** Encrypt a document to a public key, so that only the owner of the private one can read it. */
export const sealTo = async (document, jwk) => {
  const ephemeral = await crypto.subtle.generateKey(CURVE, true, ['deriveBits'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', ephemeral.publicKey)
  const header = { alg: 'ECDH-ES', enc: ENCRYPTION, kid: jwk.kid, epk: { kty, crv, x, y } }
  return encrypted(utf8(JSON.stringify(document)), await agreed(ephemeral.privateKey, jwk), header)
}

/** The content key that an ECDH private key and a public JWK agree on (RFC 7518 section 4.6, no apu, no apv). */
export const agreed = async (privateKey, { kty, crv, x, y }) => {
  const publicKey = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, CURVE, false, [])
  const secret = await crypto.subtle.deriveBits({ name: 'ECDH', public: publicKey }, privateKey, 256)
  const nothing = uint32(0)
  const otherInfo = concatenated(uint32(ENCRYPTION.length), utf8(ENCRYPTION), nothing, nothing, uint32(256))
  const round = concatenated(uint32(1), new Uint8Array(secret), otherInfo)
  return new Uint8Array(await crypto.subtle.digest('SHA-256', round))
}

/** The compact JWE of a plaintext. `header` has no member that is undefined by the caller's mistake: it is sent as it is. */
export const encrypted = async (plaintext, bytes, header, iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))) => {
  const protectedHeader = toBase64url(utf8(JSON.stringify(header)))
  const key = await aesKey(bytes, 'encrypt')
  const sealed = new Uint8Array(await crypto.subtle.encrypt(gcm(iv, protectedHeader), key, plaintext))
  const end = sealed.length - TAG_BYTES
  const parts = [iv, sealed.subarray(0, end), sealed.subarray(end)].map(toBase64url)
  return [protectedHeader, '', ...parts].join('.')
}

/** The protected header of a compact JWE. Throws if it is none. */
export const headerOf = (compact) => JSON.parse(text(fromBase64url(compact.split('.')[0])))

/** The document in a JWE of `alg: dir`. Throws if anything about it is not as it should be. */
export const openDirectly = async (compact, bytes) => {
  const [protectedHeader, encryptedKey, ...parts] = compact.split('.')
  const { alg, enc, zip, crit } = headerOf(compact)
  if (alg !== 'dir' || enc !== ENCRYPTION || zip || crit || encryptedKey !== '' || parts.length !== 3) {
    throw new TypeError('not a JWE of this kind')
  }
  const [iv, ciphertext, tag] = parts.map(fromBase64url)
  if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) throw new TypeError('not a JWE of this kind')
  const key = await aesKey(bytes, 'decrypt')
  const plaintext = await crypto.subtle.decrypt(gcm(iv, protectedHeader), key, concatenated(ciphertext, tag))
  return JSON.parse(text(new Uint8Array(plaintext)))
}

const aesKey = (bytes, use) => crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, [use])

const gcm = (iv, protectedHeader) => ({ name: 'AES-GCM', iv, additionalData: utf8(protectedHeader), tagLength: 128 })
