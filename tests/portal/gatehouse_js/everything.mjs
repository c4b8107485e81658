// Calls what the journey has not called, so that each function of the module has met the service. Talks as journey.mjs does.

import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [, , folder, url, apiKey] = process.argv
const { createGatehouse } = await import(pathToFileURL(`${folder}/gatehouse.js`))

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const ask = async (question) => {
  process.stdout.write(`${JSON.stringify({ question })}\n`)
  return JSON.parse((await lines.next()).value)
}

const g = createGatehouse({ url, apiKey })
const [email, first, second, third] = ['ada@example.com', ...(await ask('three passwords'))]
const done = {}

done.registered = (await g.register({ email, password: first, name: 'Ada' })).user.status
done.proven = (await g.verifyEmail({ email, otp: await ask('code'), password: first })).password_set
await g.login(email, first)
done.codes = (await g.factors.confirmApp(await ask((await g.factors.beginApp()).secret))).recovery_codes.length
done.made = (await g.factors.makeRecoveryCodes()).recovery_codes.length
await g.factors.removeRecoveryCodes()
const { totp, recovery_codes_left } = await g.factors.list()
done.factors = [Boolean(totp), recovery_codes_left]
done.passkeys = await g.passkeys.list()
done.proof = (await g.proof()).fresh
await g.factors.removeApp()
done.phone = (await g.factors.beginPhone('+4915112345678')).number
await g.factors.confirmPhone(await ask('sms'))
await g.sendProof('sms')
await g.reauthenticate({ method: 'sms', code: await ask('sms') })
await g.factors.removePhone()
done.locale = (await g.updateProfile({ locale: 'de' })).locale
await g.changePassword(first, second)
await g.changeEmail({ email: 'zoe@example.com', password: second })
done.changed = (await g.confirmEmailChange({ email: 'zoe@example.com', otp: await ask('code') })).email
done.exported = Object.keys(await g.exportData()).length > 0
const { id } = await g.upload(new Blob(['%PDF-1.7']), { name: 'x.pdf', purpose: 'test' })
done.files = (await g.files.list({ limit: 1 })).results.map(({ name }) => name)
done.about = (await g.files.about(id)).media_type
done.content = await (await g.download(id)).text()
await g.files.remove(id)
done.passkey = await g.signInWithPasskeyFromAutofill()
done.unsupported = await g.signInWithPasskey().catch(({ type }) => type)
await g.undoEmailChange(await ask('undo'))
done.ended = await g.fetch('/api/auth/me').then(() => 'no', ({ type }) => type)
await g.forgotPassword(email)
await g.resetPassword(await ask('reset'), third)
await ask('demand a second factor')
const challenge = await g.login(email, third)
const { session_token } = challenge
await g.secondFactor.send({ session_token, method: 'email' })
const answer = await g.secondFactor.verify({ session_token, method: 'email', code: await ask('code') })
done.enrol = answer.enrol
await g.logout()
await g.requestCode(email)
const demanded = await g.verifyCode(email, await ask('code'))
const begun = await g.secondFactor.enrol({ session_token: demanded.session_token, method: 'totp' })
const given = { session_token: demanded.session_token, method: 'totp', code: await ask(begun.secret) }
done.enrolled = (await g.secondFactor.verify(given)).recovery_codes.length
await g.erase()
done.erased = await g.fetch('/api/auth/me').catch(({ type }) => type)
g.close()
process.stdout.write(`${JSON.stringify({ done })}\n`)
process.exit(0)
