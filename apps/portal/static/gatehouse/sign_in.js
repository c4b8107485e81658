// The ways in, and what leads to them. Each way ends with a user who is signed in, or with a second factor to be given.

import * as passkeys from './passkeys.js'

const AUTH = '/api/auth'

/** `core`: what gatehouse.js puts together. */
export class SignIn {
  constructor(core) {
    this.core = core
  }

  requestCode(email, { purpose, locale, signal } = {}) {
    return this.#post('/request-otp', given({ email, purpose, locale }), { signal })
  }

  verifyCode(email, otp, options) {
    return this.#enter('/verify-otp', { email, otp }, options)
  }

  login(email, password, options) {
    return this.#enter('/login', { email, password }, options)
  }

  async withPasskey(options) {
    const credential = await passkeys.get(await this.#post('/passkey/options', {}, options), options)
    return this.#enter('/passkey/verify', { credential }, options)
  }

  /** Null when nobody has chosen a passkey before the signal or another way in ended it. */
  async withPasskeyFromAutofill(options) {
    const credential = await passkeys.autofill(() => this.#post('/passkey/options', {}, options), options)
    return credential && this.#enter('/passkey/verify', { credential }, options)
  }

  register({ signal, ...fields }) {
    return this.#post('/register', given(fields), { signal })
  }

  verifyEmail({ signal, ...fields }) {
    return this.#post('/verify-email', given(fields), { signal })
  }

  forgotPassword(email, options) {
    return this.#post('/forgot-password', { email }, options)
  }

  resetPassword(token, password, options) {
    return this.#post('/reset-password', { token, password }, options)
  }

  undoEmailChange(token, options) {
    return this.#post('/change-email/undo', { token }, options)
  }

  /** Have a code sent. */
  sendSecondFactor({ session_token, method, signal }) {
    return this.#post('/2fa/send', { session_token, method }, { signal })
  }

  /** Begin to enrol what is demanded on the way in. For a passkey, the browser's form opens and it is confirmed at once. */
  async enrolSecondFactor({ session_token, method, phone, signal }) {
    const begun = await this.#post('/2fa/enrol', given({ session_token, method, phone }), { signal })
    if (method !== 'passkey') return begun
    const credential = await passkeys.create(begun, { signal })
    return this.verifySecondFactor({ session_token, method, credential, signal })
  }

  /** For a passkey without `credential`, the browser's form opens. */
  async verifySecondFactor({ session_token, method, code, credential, signal }) {
    const proof = method === 'passkey' ? { credential: credential ?? (await this.#asked(session_token, signal)) } : { code }
    return this.core.entered(await this.#post('/2fa/verify', { session_token, method, ...proof }, { signal }))
  }

  async #asked(session_token, signal) {
    return passkeys.get(await this.sendSecondFactor({ session_token, method: 'passkey', signal }), { signal })
  }

  async #enter(path, document, options) {
    return this.core.entered(await this.#post(path, { ...document, ...this.core.delivery.asksFor }, options))
  }

  #post(path, document, options) {
    return this.core.service.post(AUTH + path, document, options)
  }
}

/** Without the members that nobody gave. */
export const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
