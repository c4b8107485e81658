// An independent client's cryptography: Node's `jose` and Node's own HKDF, nothing of Gatehouse.
// Reads a list of jobs as JSON from stdin, writes their results as JSON to stdout.

import { hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  CompactEncrypt, calculateJwkThumbprint, compactDecrypt, createLocalJWKSet, createRemoteJWKSet, importJWK, jwtVerify,
} from 'jose'

const utf8 = new TextEncoder()
const text = new TextDecoder('utf-8', { fatal: true })
const bytes = (encoded) => new Uint8Array(Buffer.from(encoded, 'base64url'))

// Section 2.2: HKDF-Extract with the salt, then HKDF-Expand with the info. hkdfSync does both.
const tokenKey = (token, info) =>
  new Uint8Array(hkdfSync('sha256', Buffer.from(token, 'ascii'), utf8.encode('gatehouse/v1'), utf8.encode(info), 32))
const jtiOf = (token) => JSON.parse(text.decode(bytes(token.split('.')[1]))).jti

const encrypt = (document, header, key) =>
  new CompactEncrypt(utf8.encode(JSON.stringify(document))).setProtectedHeader({ enc: 'A256GCM', ...header }).encrypt(key)

const work = {
  async sealWithSharedKey({ document, key }) {
    const kid = await calculateJwkThumbprint({ kty: 'oct', k: key })
    return encrypt(document, { alg: 'dir', kid }, bytes(key))
  },

  async sealToPublishedKey({ document, jwk, apu, apv }) {
    const kid = await calculateJwkThumbprint(jwk)
    const sealing = new CompactEncrypt(utf8.encode(JSON.stringify(document)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid })
    if (apu || apv) sealing.setKeyManagementParameters({ apu: utf8.encode(apu), apv: utf8.encode(apv) })
    return sealing.encrypt(await importJWK({ ...jwk, alg: 'ECDH-ES' }))
  },

  async sealUnderToken({ document, token, info }) {
    return encrypt(document, { alg: 'dir', kid: jtiOf(token) }, tokenKey(token, info))
  },

  async openUnderToken({ jwe, token, info }) {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, tokenKey(token, info))
    return { document: JSON.parse(text.decode(plaintext)), header: protectedHeader }
  },

  async openWithKey({ jwe, jwk }) {
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, await importJWK(jwk, protectedAlgorithm(jwe)))
    return { document: JSON.parse(text.decode(plaintext)), header: protectedHeader }
  },

  // Section 3.2: a resource server that knows nothing but the issuer it trusts and who it is itself.
  async verifyFromIssuer({ token, issuer, audience }) {
    const answer = await fetch(`${issuer}/.well-known/openid-configuration`)
    const found = await answer.json()
    if (found.issuer !== issuer) throw new Error(`the document of ${found.issuer}`)
    return verify(token, createRemoteJWKSet(new URL(found.jwks_uri)), found, audience)
  },

  async verifyOffline({ token, configuration, jwks, audience }) {
    return verify(token, createLocalJWKSet(jwks), configuration, audience)
  },
}

const verify = async (token, keys, { issuer, id_token_signing_alg_values_supported: algorithms }, audience) => {
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, audience, algorithms, typ: 'at+jwt' })
  return { claims: payload, header: protectedHeader }
}

const protectedAlgorithm = (jwe) => JSON.parse(text.decode(bytes(jwe.split('.')[0]))).alg

const attempt = async ({ name, ...options }) => {
  try {
    return { result: await work[name](options) }
  } catch (error) {
    return { error: error.code ?? String(error) }
  }
}

const jobs = JSON.parse(readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(await Promise.all(jobs.map(attempt))))
