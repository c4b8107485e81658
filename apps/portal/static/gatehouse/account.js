// What a signed-in user manages: proof, factors, passkeys, sessions, profile.

import * as passkeys from './passkeys.js'
import { given } from './sign_in.js'

const AUTH = '/api/auth'
const FACTORS = `${AUTH}/2fa`

/** `core`: what gatehouse.js puts together. */
export class Account {
  constructor(core) {
    this.core = core
  }

  // --- A fresh proof ---

  /** By what it can be proven, and whether that is needed now. */
  proof(options) {
    return this.#call('GET', `${AUTH}/reauthenticate`, undefined, options)
  }

  /** Have a code sent to prove it by. */
  sendProof(method, options) {
    return this.#call('POST', `${AUTH}/reauthenticate/send`, { method }, options)
  }

  /** For a passkey without `credential`, the browser's form opens. */
  async reauthenticate({ method, code, password, credential, signal }) {
    const asked = method === 'passkey' && !credential
    const proven = asked ? await passkeys.get(await this.sendProof(method, { signal }), { signal }) : credential
    const document = given({ method, code, password, credential: proven })
    // Not within a step-up: this is the step.
    const answer = await this.core.calls.document(`${AUTH}/reauthenticate`, { method: 'POST', json: document, signal }, { stepUp: false })
    await this.core.delivery.take(answer)
  }

  // --- Second factors ---

  factors(options) {
    return this.#call('GET', FACTORS, undefined, options)
  }

  beginApp(options) {
    return this.#call('POST', `${FACTORS}/totp`, undefined, options)
  }

  confirmApp(code, options) {
    return this.#call('POST', `${FACTORS}/totp/confirm`, { code }, options)
  }

  removeApp(options) {
    return this.#call('DELETE', `${FACTORS}/totp`, undefined, options)
  }

  beginPhone(phone, options) {
    return this.#call('POST', `${FACTORS}/sms`, { phone }, options)
  }

  confirmPhone(code, options) {
    return this.#call('POST', `${FACTORS}/sms/confirm`, { code }, options)
  }

  removePhone(options) {
    return this.#call('DELETE', `${FACTORS}/sms`, undefined, options)
  }

  makeRecoveryCodes(options) {
    return this.#call('POST', `${FACTORS}/recovery-codes`, undefined, options)
  }

  removeRecoveryCodes(options) {
    return this.#call('DELETE', `${FACTORS}/recovery-codes`, undefined, options)
  }

  // --- Passkeys ---

  async enrolPasskey(name = '', options) {
    const asked = await this.#call('POST', `${FACTORS}/passkeys/options`, undefined, options)
    const credential = await passkeys.create(asked, options)
    return this.#call('POST', `${FACTORS}/passkeys`, { credential, name }, options)
  }

  async listPasskeys(options) {
    return (await this.factors(options)).passkeys
  }

  renamePasskey(id, name, options) {
    return this.#call('PATCH', `${FACTORS}/passkeys/${encodeURIComponent(id)}`, { name }, options)
  }

  removePasskey(id, options) {
    return this.#call('DELETE', `${FACTORS}/passkeys/${encodeURIComponent(id)}`, undefined, options)
  }

  // --- Sessions ---

  /** One page of them: `next` is the cursor of the next one, or null. */
  listSessions({ cursor, limit, signal } = {}) {
    const query = new URLSearchParams(given({ cursor, limit }))
    return this.#call('GET', `${AUTH}/sessions?${query}`, undefined, { signal })
  }

  endSession(id, options) {
    return this.#call('DELETE', `${AUTH}/sessions/${encodeURIComponent(id)}`, undefined, options)
  }

  endOtherSessions(options) {
    return this.#call('DELETE', `${AUTH}/sessions`, undefined, options)
  }

  // --- The user ---

  async updateProfile(changes, options) {
    const user = await this.#call('PATCH', `${AUTH}/me`, changes, options)
    this.core.known(user)
    return user
  }

  changePassword(currentPassword, password, options) {
    return this.#call('POST', `${AUTH}/change-password`, { current_password: currentPassword, password }, options)
  }

  changeEmail({ email, password, signal }) {
    return this.#call('POST', `${AUTH}/change-email`, given({ email, password }), { signal })
  }

  confirmEmailChange({ email, otp, signal }) {
    return this.#call('POST', `${AUTH}/change-email/confirm`, { email, otp }, { signal })
  }

  exportData(options) {
    return this.#call('GET', `${AUTH}/me/export`, undefined, options)
  }

  async erase(options) {
    await this.#call('DELETE', `${AUTH}/me`, undefined, options)
    await this.core.signedOut('erased')
  }

  #call(method, path, json, { signal } = {}) {
    return this.core.calls.document(path, { method, json, signal })
  }
}
