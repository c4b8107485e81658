// Files on their way (RFC 8188, aes128gcm): record by record, so that memory does not grow with the file.

import { concatenated, expand, extract, hmacKey, toBase64url, uint32, utf8 } from './bytes.js'
import { unreadable } from './errors.js'

export const RECORD_BYTES = 65_536
const TAG_BYTES = 16
const SALT_BYTES = 16
const CONTENT_BYTES = RECORD_BYTES - TAG_BYTES - 1
const READ_AT_ONCE = 16 // records: each reading of a Blob, and each writing to the disk, costs more than encrypting one does
const MORE = 1
const LAST = 2

/** The records of a Blob, the header first, and then a few at a time. */
export async function* encryptedRecords(blob, material, keyid, salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES))) {
  const cipher = await Cipher.of(material, salt)
  const name = utf8(keyid)
  yield concatenated(salt, uint32(RECORD_BYTES), Uint8Array.of(name.length), name)
  const count = Math.max(1, Math.ceil(blob.size / CONTENT_BYTES))
  for (let first = 0; first < count; first += READ_AT_ONCE) {
    const start = first * CONTENT_BYTES
    const content = new Uint8Array(await blob.slice(start, start + READ_AT_ONCE * CONTENT_BYTES).arrayBuffer())
    const records = []
    for (let number = first; number < Math.min(count, first + READ_AT_ONCE); number += 1) {
      const offset = (number - first) * CONTENT_BYTES
      const delimiter = Uint8Array.of(number === count - 1 ? LAST : MORE)
      records.push(cipher.encrypt(concatenated(content.subarray(offset, offset + CONTENT_BYTES), delimiter), number))
    }
    yield concatenated(...(await Promise.all(records)))
  }
}

/** How many bytes of content such a stream of so many bytes has. */
export const contentLength = (streamLength, keyid) => {
  const records = streamLength - SALT_BYTES - 5 - utf8(keyid).length
  return records - Math.ceil(records / RECORD_BYTES) * (TAG_BYTES + 1)
}

/** Decrypts what is written to it. It errors with GatehouseError if the stream was changed or cut off. */
export const decryption = (material, keyid) => {
  const reader = new RecordReader(material, keyid)
  return new TransformStream({
    transform: (chunk, controller) => reader.take(chunk, controller),
    flush: (controller) => reader.end(controller),
  })
}

class RecordReader {
  #waiting = new Uint8Array(0)
  #cipher = null
  #number = 0
  #ended = false

  constructor(material, keyid) {
    this.material = material
    this.name = utf8(keyid)
  }

  /** A record is opened when more than it has come: only then it is known whether it is the last. */
  async take(chunk, controller) {
    this.#waiting = concatenated(this.#waiting, chunk)
    if (!this.#cipher && !(await this.#readHeader())) return
    let start = 0
    while (this.#waiting.length - start > RECORD_BYTES) {
      await this.#open(this.#waiting.subarray(start, start + RECORD_BYTES), controller)
      start += RECORD_BYTES
    }
    this.#waiting = this.#waiting.slice(start)
  }

  async end(controller) {
    if (!this.#cipher) throw unreadable(200)
    await this.#open(this.#waiting, controller)
    if (!this.#ended) throw unreadable(200)
  }

  /** Whether the whole header has come. */
  async #readHeader() {
    const fixed = SALT_BYTES + 5
    const header = this.#waiting
    if (header.length < fixed || header.length < fixed + header[fixed - 1]) return false
    const end = fixed + header[fixed - 1]
    const size = new DataView(header.buffer, header.byteOffset).getUint32(SALT_BYTES)
    if (size !== RECORD_BYTES || toBase64url(header.subarray(fixed, end)) !== toBase64url(this.name)) throw unreadable(200)
    this.#cipher = await Cipher.of(this.material, header.slice(0, SALT_BYTES))
    this.#waiting = header.slice(end)
    return true
  }

  async #open(record, controller) {
    if (this.#ended) throw unreadable(200)
    const padded = await this.#cipher.decrypt(record, this.#number).catch((cause) => { throw unreadable(200, cause) })
    let end = padded.length - 1
    while (end >= 0 && padded[end] === 0) end -= 1
    const delimiter = padded[end]
    if (delimiter !== LAST && !(delimiter === MORE && record.length === RECORD_BYTES)) throw unreadable(200)
    this.#number += 1
    this.#ended = delimiter === LAST
    if (end > 0) controller.enqueue(padded.subarray(0, end))
  }
}

class Cipher {
  constructor(key, nonce) {
    this.key = key
    this.nonce = nonce
  }

  static async of(material, salt) {
    const prk = await hmacKey(await extract(salt, material))
    const bytes = await expand(prk, 'Content-Encoding: aes128gcm\0', 16)
    const key = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
    return new Cipher(key, await expand(prk, 'Content-Encoding: nonce\0', 12))
  }

  async encrypt(plaintext, number) {
    return new Uint8Array(await crypto.subtle.encrypt(this.#parameters(number), this.key, plaintext))
  }

  async decrypt(record, number) {
    return new Uint8Array(await crypto.subtle.decrypt(this.#parameters(number), this.key, record))
  }

  /** The nonce of a record: its number, exclusive-or, in the last bytes (numbers below 2³² are enough for 256 TiB). */
  #parameters(number) {
    const iv = this.nonce.slice()
    const tail = new DataView(iv.buffer)
    tail.setUint32(8, (tail.getUint32(8) ^ number) >>> 0)
    return { name: 'AES-GCM', iv, tagLength: 128 }
  }
}
