// A user's way through the service under Node, with the module in the folder that is given. It asks on stdout for what the user
// would see elsewhere, and reads the answers from stdin, one JSON a line.

import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [, , folder, url, apiKey] = process.argv
const { createGatehouse } = await import(pathToFileURL(`${folder}/gatehouse.js`))

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const ask = async (question) => {
  process.stdout.write(`${JSON.stringify({ question })}\n`)
  return JSON.parse((await lines.next()).value)
}
const failure = (call) => call.then(() => null, ({ status, type }) => `${status} ${type}`)

/** The way to the service, with somebody on it who changes answers. */
const onTheWay = { change: null }
const network = async (...given) => {
  const answer = await fetch(...given)
  return onTheWay.change ? onTheWay.change(answer) : answer
}
const altered = async (change, call) => {
  onTheWay.change = change
  const found = await failure(call())
  onTheWay.change = null
  return found
}

/** A session is kept by the name of service, customer and delivery. */
const kept = new Map()
const storage = {
  getItem: async (name) => kept.get(name) ?? null,
  setItem: async (name, value) => { kept.set(name, value) },
  removeItem: async (name) => { kept.delete(name) },
}
const g = createGatehouse({ url, apiKey, storage, fetch: network, onReauthenticate: async () => {
  await g.reauthenticate({ method: 'password', password: await ask('password') })
} })
const record = () => JSON.parse([...kept.values()][0])
const me = () => g.fetch('/api/auth/me')
const done = {}

await g.requestCode('ada@example.com')
done.new = (await g.verifyCode('ada@example.com', await ask('code'))).user.is_new
done.renamed = (await g.fetch('/api/auth/me', { method: 'PATCH', json: { name: 'Zoë 🦉' } })).name

const before = record().access_token
kept.set([...kept.keys()][0], JSON.stringify({ ...record(), expires_at: 0 }))
done.name = (await me()).name
done.refreshed = record().access_token !== before
done.token = (await g.accessToken()) === record().access_token

const body = async (answer) => JSON.parse(await answer.text())
let first = null
done.altered = {
  status: await altered(async (answer) => new Response(await answer.text(), { status: 203, headers: answer.headers }), me),
  plain: await altered(() => Response.json({ role: 'admin' }), me),
  html: await altered(() => new Response('<html>', { status: 502 }), me),
  tampered: await altered(async (answer) => {
    const { data } = await body(answer)
    return Response.json({ data: `${data.slice(0, -8)}AAAAAAAA` }, { headers: { 'X-Encrypted': 'true' } })
  }, me),
  another: await altered(async (answer) => {
    first ??= await answer.clone().text()
    return new Response(first, { headers: answer.headers })
  }, async () => { await me(); await g.sessions.list() }),
}
await g.logout()
done.left = kept.size

await ask('rotate the service key')
const challenge = await g.login('eve@example.com', await ask('password'))
const { session_token, methods } = challenge
await g.secondFactor.verify({ session_token, method: methods[0], code: await ask('totp') })
done.methods = methods
done.devices = (await g.sessions.list()).results.length
await g.logout()

const old = await ask('tokens of an old session')
await storage.setItem(`gatehouse ${new URL(url).origin} ${apiKey.split('_')[2]} body`, JSON.stringify({ ...old, expires_in: 60, expires_at: Date.now() + 60_000 }))
done.secret = (await g.factors.beginApp()).secret.length
done.outside = await g.fetch('https://elsewhere.example/api/auth/me').catch((error) => error.name)
await ask('end the session')
done.ended = await failure(me())
done.after = await failure(me())
process.stdout.write(`${JSON.stringify({ done })}\n`)
process.exit(0)
