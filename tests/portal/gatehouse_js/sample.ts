// Uses all that the declarations offer. test_package.py has the compiler check it, and that nothing is left out.

import {
  createGatehouse, GatehouseError, type Challenge, type Gatehouse, type GatehouseOptions, type SignInAnswer, type User,
} from 'gatehouse-client'

const options: GatehouseOptions = {
  url: 'https://auth.example.com',
  apiKey: 'ghk_live_…',
  delivery: 'cookie',
  storage: { getItem: async () => null, setItem: () => {}, removeItem: async () => {} },
  onReauthenticate: async ({ maxAge }) => { await g.reauthenticate({ method: 'password', password: `${maxAge.toFixed()}` }) },
  fetch: globalThis.fetch,
}
const g: Gatehouse = createGatehouse(options)
const signal = AbortSignal.timeout(1000)

async function pass(answer: SignInAnswer): Promise<User> {
  if (!answer.requires_2fa) return answer.user
  const { session_token, methods }: Challenge = answer
  await g.secondFactor.send({ session_token, method: 'email' })
  const { qr_svg } = await g.secondFactor.enrol({ session_token, method: 'totp' })
  const { number } = await g.secondFactor.enrol({ session_token, method: 'sms', phone: qr_svg })
  await pass(await g.secondFactor.enrol({ session_token, method: 'passkey' }))
  return pass(await g.secondFactor.verify({ session_token, method: methods[0] ?? 'totp', code: number, signal }))
}

export async function waysIn(email: string): Promise<void> {
  const { resend_in } = await g.requestCode(email, { purpose: 'login', locale: 'de', signal })
  await pass(await g.verifyCode(email, `${resend_in.toFixed()}`))
  await pass(await g.login(email, 'password', { signal }))
  await pass(await g.signInWithPasskey())
  const chosen = await g.signInWithPasskeyFromAutofill({ signal })
  if (chosen !== null) await pass(chosen)
  const { user } = await g.register({ email, password: '', name: '', phone: '', locale: '' })
  const { password_set } = await g.verifyEmail({ email: user.email, otp: '', password: '' })
  if (password_set) await g.forgotPassword(email)
  await g.resetPassword('token', 'password')
  await g.undoEmailChange('token')
}

export async function who(): Promise<string> {
  for await (const { user, verified } of g.restore()) {
    // @ts-expect-error a user whom nobody has verified has no rights
    user?.permissions
    if (verified && user?.permissions.includes('invoices.read')) return user.role
  }
  const known: User | null = await g.user()
  const allowed: boolean = g.can('invoices.read')
  const off = g.on('signed-out', ({ reason, here }) => { console.log(reason, here) })
  g.on('signed-in', ({ user, here }) => { console.log(user?.name, here) })
  g.on('user', ({ user }) => { console.log(user?.permissions) })
  g.on('woken', () => {})
  // @ts-expect-error no such event
  g.on('signed_out', () => {})
  off()
  await g.logout({ signal })
  g.close()
  return allowed ? g.accessToken() : (known?.name ?? '')
}

export async function calls(file: File, to: WritableStream<Uint8Array>): Promise<void> {
  const { total } = await g.fetch<{ total: number }>('/api/x', { method: 'POST', json: { a: 1 }, headers: { a: 'b' }, signal })
  const { id } = await g.upload(file, { name: 'x', purpose: 'y', onProgress: ({ loaded }) => { console.log(loaded, total) }, signal })
  await g.download(id, { to, onProgress: ({ total }) => { console.log(total?.toFixed()) } })
  const blob: Blob = await g.download(id)
  const { results, next } = await g.files.list({ limit: blob.size })
  await g.files.remove((await g.files.about(results[0]?.id ?? next ?? '')).id)
}

export async function manages(): Promise<void> {
  const { methods, fresh } = await g.proof()
  if (!fresh && methods.includes('sms')) await g.sendProof('sms')
  const { recovery_codes_left, totp } = await g.factors.list()
  if (!totp) await g.factors.confirmApp((await g.factors.beginApp()).secret)
  await g.factors.removeApp()
  await g.factors.confirmPhone((await g.factors.beginPhone('+49')).number)
  await g.factors.removePhone()
  if (recovery_codes_left < 3) (await g.factors.makeRecoveryCodes()).recovery_codes.map((code) => code)
  await g.factors.removeRecoveryCodes()
  if (g.passkeys.areSupported() && (await g.passkeys.canAutofill())) await g.passkeys.enrol('Laptop')
  for (const passkey of await g.passkeys.list()) await g.passkeys.rename(passkey.id, 'Phone')
  await g.passkeys.remove('id')
  const { results } = await g.sessions.list()
  for (const device of results) if (!device.current) await g.sessions.end(device.id)
  const { ended }: { ended: number } = await g.sessions.endOthers()
  const { locale } = await g.updateProfile({ name: `${ended.toFixed()}` })
  await g.changePassword('old', locale)
  await g.changeEmail({ email: 'x', password: 'y' })
  await g.confirmEmailChange({ email: 'x', otp: 'y' })
  await g.exportData()
  await g.erase()
}

export function shown(error: unknown): string {
  if (!(error instanceof GatehouseError)) throw error
  if (error.type === 'rate_limited') return `${error.limit} ${error.retryAfter?.toFixed()} s`
  if (error.type === 'validation_error') return error.fields?.['email']?.join() ?? ''
  return `${error.status} ${error.maxAge} ${error.timestamp} ${error.requestId}`
}

// @ts-expect-error a misspelt option
createGatehouse({ url: '', apikey: '' })
