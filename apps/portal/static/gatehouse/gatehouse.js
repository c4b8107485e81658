// Gatehouse in the browser: sign-in, sessions and encrypted calls, with WebCrypto alone. It holds no secret of the service.
// README.md beside this file shows how to use it; gatehouse.d.ts says what each function takes and gives.

import { Account } from './account.js'
import { Core } from './core.js'
import { GatehouseError } from './errors.js'
import { Files } from './files.js'
import * as passkeys from './passkeys.js'
import { SignIn } from './sign_in.js'

export { GatehouseError }

/**
 * `url` is the service's, without a path. `delivery` is 'body' (this page holds the tokens) or 'cookie' (no script can read
 * them). `storage` is 'local', 'memory', or an object like localStorage, whose methods may return promises.
 * `onReauthenticate` is called with { maxAge } when a call needs a fresh proof: have the user give it, by `reauthenticate`,
 * and the call is sent once more.
 */
export const createGatehouse = ({ url, apiKey, delivery = 'body', storage = 'local', onReauthenticate, fetch }) => {
  if (delivery !== 'body' && delivery !== 'cookie') throw new TypeError(`no such delivery: ${delivery}`)
  const core = new Core({ url, apiKey, delivery, storage, onReauthenticate, fetch })
  return Object.freeze({
    ...waysIn(new SignIn(core)),
    ...ofTheUser(new Account(core)),
    ...ofFiles(new Files(core)),
    restore: () => core.restored(),
    /** Whether the service itself has said, in the last five minutes, that the user may. Never by a token that only claims it. */
    can: (permission) => core.user?.permissions.includes(permission) ?? false,
    user: () => core.askedUser(),
    fetch: (path, options) => core.calls.document(path, options),
    accessToken: () => core.accessToken(),
    logout: (options) => core.logout(options),
    on: (type, listener) => core.events.on(type, listener),
    close: () => core.tabs.close(),
  })
}

const waysIn = (signIn) => ({
  requestCode: (email, options) => signIn.requestCode(email, options),
  verifyCode: (email, code, options) => signIn.verifyCode(email, code, options),
  login: (email, password, options) => signIn.login(email, password, options),
  register: (fields) => signIn.register(fields),
  verifyEmail: (fields) => signIn.verifyEmail(fields),
  forgotPassword: (email, options) => signIn.forgotPassword(email, options),
  resetPassword: (token, password, options) => signIn.resetPassword(token, password, options),
  undoEmailChange: (token, options) => signIn.undoEmailChange(token, options),
  secondFactor: Object.freeze({
    send: (given) => signIn.sendSecondFactor(given),
    verify: (given) => signIn.verifySecondFactor(given),
    enrol: (given) => signIn.enrolSecondFactor(given),
  }),
  signInWithPasskey: (options) => signIn.withPasskey(options),
  signInWithPasskeyFromAutofill: (options) => signIn.withPasskeyFromAutofill(options),
})

const ofTheUser = (account) => ({
  proof: (options) => account.proof(options),
  sendProof: (method, options) => account.sendProof(method, options),
  reauthenticate: (given) => account.reauthenticate(given),
  factors: Object.freeze({
    list: (options) => account.factors(options),
    beginApp: (options) => account.beginApp(options),
    confirmApp: (code, options) => account.confirmApp(code, options),
    removeApp: (options) => account.removeApp(options),
    beginPhone: (phone, options) => account.beginPhone(phone, options),
    confirmPhone: (code, options) => account.confirmPhone(code, options),
    removePhone: (options) => account.removePhone(options),
    makeRecoveryCodes: (options) => account.makeRecoveryCodes(options),
    removeRecoveryCodes: (options) => account.removeRecoveryCodes(options),
  }),
  passkeys: Object.freeze({
    areSupported: passkeys.areSupported,
    canAutofill: passkeys.canAutofill,
    enrol: (name, options) => account.enrolPasskey(name, options),
    list: (options) => account.listPasskeys(options),
    rename: (id, name, options) => account.renamePasskey(id, name, options),
    remove: (id, options) => account.removePasskey(id, options),
  }),
  sessions: Object.freeze({
    list: (options) => account.listSessions(options),
    end: (id, options) => account.endSession(id, options),
    endOthers: (options) => account.endOtherSessions(options),
  }),
  updateProfile: (changes, options) => account.updateProfile(changes, options),
  changePassword: (current, password, options) => account.changePassword(current, password, options),
  changeEmail: (fields) => account.changeEmail(fields),
  confirmEmailChange: (fields) => account.confirmEmailChange(fields),
  exportData: (options) => account.exportData(options),
  erase: (options) => account.erase(options),
})

const ofFiles = (files) => ({
  upload: (blob, options) => files.upload(blob, options),
  download: (id, options) => files.download(id, options),
  files: Object.freeze({
    list: (options) => files.list(options),
    about: (id, options) => files.about(id, options),
    remove: (id, options) => files.remove(id, options),
  }),
})
