// The module's cryptography, asked from outside. Reads jobs as JSON from stdin, writes their results as JSON to stdout.
// `jose` stands for everybody else.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [, , moduleFolder, interopFolder] = process.argv
const part = (name) => import(pathToFileURL(`${moduleFolder}/${name}.js`))
const { expand, fromBase64url, hmacKey, toBase64url, utf8 } = await part('bytes')
const { agreed, encrypted, openDirectly, sealDirectly, sealTo } = await part('jwe')
const { EnvelopeKeys, boundPath } = await part('envelope')
const { contentLength, decryption, encryptedRecords } = await part('file_stream')
const jose = await import(pathToFileURL(createRequire(`${interopFolder}/`).resolve('jose')))

const CURVE = { name: 'ECDH', namedCurve: 'P-256' }
const agreement = async ({ privateJwk, publicJwk }) =>
  agreed(await crypto.subtle.importKey('jwk', privateJwk, CURVE, false, ['deriveBits']), publicJwk)

const keysOf = async ({ token, prk, kid }) =>
  token ? EnvelopeKeys.ofToken(token) : EnvelopeKeys.ofSession(prk, kid)

const bytesOf = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer())

const work = {
  async sealToAsInVector({ header, plaintext, iv, ...keys }) {
    return encrypted(utf8(plaintext), await agreement(keys), header, fromBase64url(iv))
  },
  contentKey: async (keys) => toBase64url(await agreement(keys)),
  async sealUnderTokenAsInVector({ token, info, plaintext, iv }) {
    const { prk, kid } = await keysOf({ token })
    return encrypted(utf8(plaintext), await expand(prk, info), { alg: 'dir', enc: 'A256GCM', kid }, fromBase64url(iv))
  },
  async openUnderToken({ jwe, method, path, status, ...keys }) {
    return (await keysOf(keys)).open(jwe, method, path, status)
  },
  async streamAsInVector({ method, path, content, salt, ...keys }) {
    const { prk, kid } = await keysOf(keys)
    const material = await expand(prk, `file ${method} ${path}`)
    const records = encryptedRecords(new Blob([fromBase64url(content)]), material, kid, fromBase64url(salt))
    return toBase64url(await bytesOf(ReadableStream.from(records)))
  },
  async readStream({ method, path, stream, pieces, ...keys }) {
    const mine = await keysOf(keys)
    const bytes = fromBase64url(stream)
    const chunks = Array.from({ length: Math.ceil(bytes.length / pieces) }, (_, i) => bytes.slice(i * pieces, (i + 1) * pieces))
    const decrypted = ReadableStream.from(chunks).pipeThrough(decryption(await mine.fileMaterial(method, path), mine.kid))
    const content = await bytesOf(decrypted)
    return { content: toBase64url(content), foretold: contentLength(bytes.length, mine.kid) }
  },
  boundPath: async ({ url }) => boundPath(url),

  async joseOpensWhatIsSealedTo({ document, publicJwk, privateJwk }) {
    const { plaintext, protectedHeader } = await jose.compactDecrypt(
      await sealTo(document, publicJwk), await jose.importJWK(privateJwk, 'ECDH-ES'))
    return { document: JSON.parse(new TextDecoder().decode(plaintext)), header: Object.keys(protectedHeader).sort() }
  },
  async joseOpensWhatIsSealedDirectly({ document, key }) {
    const { plaintext } = await jose.compactDecrypt(await sealDirectly(document, fromBase64url(key), 'a kid'), fromBase64url(key))
    return JSON.parse(new TextDecoder().decode(plaintext))
  },
  async opensWhatJoseSeals({ document, key, header }) {
    const sealing = new jose.CompactEncrypt(utf8(JSON.stringify(document))).setProtectedHeader({ enc: 'A256GCM', alg: 'dir', ...header })
    return openDirectly(await sealing.encrypt(fromBase64url(key)), fromBase64url(key))
  },
}

const attempt = async ({ name, ...options }) => {
  try {
    return { result: await work[name](options) }
  } catch (error) {
    return { error: error.type ?? error.name }
  }
}

const jobs = JSON.parse(readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(await Promise.all(jobs.map(attempt))))
