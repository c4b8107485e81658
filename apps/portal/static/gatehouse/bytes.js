// Bytes, text and the two halves of HKDF (RFC 5869), with WebCrypto alone.

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const CHUNK = 0x8000 // arguments of one call

export const utf8 = (text) => encoder.encode(text)

/** Throws TypeError if the bytes are not UTF-8. */
export const text = (bytes) => decoder.decode(bytes)

export const concatenated = (...parts) => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

export const toBase64url = (bytes) => {
  let binary = ''
  for (let start = 0; start < bytes.length; start += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK))
  }
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

export const fromBase64url = (encoded) =>
  Uint8Array.from(atob(encoded.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))

/** A 32-bit number, most significant byte first. */
export const uint32 = (number) => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

/** HKDF-Extract (SHA-256). */
export const extract = async (salt, material) => hmac(await hmacKey(salt), material)

/** A key for `expand`. */
export const hmacKey = (bytes) => crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])

/** HKDF-Expand to at most 32 bytes is one round of HMAC (RFC 5869 section 2.3). */
export const expand = async (key, info, length = 32) =>
  (await hmac(key, concatenated(typeof info === 'string' ? utf8(info) : info, Uint8Array.of(1)))).subarray(0, length)

const hmac = async (key, message) => new Uint8Array(await crypto.subtle.sign('HMAC', key, message))
