// An Express app whose users sign in at Gatehouse's hosted pages (OpenID Connect, with PKCE), and that keeps the tokens itself.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import express from 'express'
import * as openid from 'openid-client'

const facts = JSON.parse(readFileSync(process.env.GATEHOUSE_DEMO ?? '../../../.data/demo.json'))
const port = Number(process.env.PORT ?? 5504)
const home = `http://localhost:${port}/`
const redirectUri = `${home}callback`

const issuer = new URL(facts.issuer)
const isLocal = issuer.hostname === 'localhost' // http is for this machine alone
const client = await openid.discovery(
  issuer,
  facts.oauth_client_id,
  { client_secret: facts.oauth_client_secret, [openid.clockTolerance]: 30 }, // seconds by which two clocks may differ
  undefined,
  { execute: isLocal ? [openid.allowInsecureRequests] : [] },
)

// --- Sessions: in memory, in the place of a store ---

const COOKIE = 'express_notes' // on localhost all apps share their cookies, whatever the port
const sessions = new Map()

/** A new session with a new id, so that nobody can plant one before sign-in. `waiting`: sign-ins that have begun, one a tab. */
const begin = (response, { waiting = new Map(), ...user } = {}) => {
  const [id, session] = [randomBytes(32).toString('base64url'), { waiting, ...user }]
  sessions.set(id, session)
  response.cookie(COOKIE, id, { httpOnly: true, sameSite: 'lax', secure: !isLocal }) // "strict" would be lost on the way back
  return session
}

const idOf = (request) => request.get('Cookie')?.match(new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`))?.[1]

const end = (request) => {
  const session = sessions.get(idOf(request))
  sessions.delete(idOf(request))
  return session ?? {}
}

const keep = (session, tokens) => {
  const { access_token: access, refresh_token: refresh, id_token: idToken = session.idToken } = tokens
  Object.assign(session, { access, refresh, idToken, expiresAt: Date.now() + tokens.expiresIn() * 1000 })
}

/** One refresh at a time: of two at once, the later would use a token that is used up. */
const refresh = (session) => {
  session.refreshing ??= openid.refreshTokenGrant(client, session.refresh)
    .then((tokens) => keep(session, tokens))
    .finally(() => { session.refreshing = undefined })
  return session.refreshing
}

/** An access token to call with, which is good for a minute at least. */
const accessToken = async (session) => {
  if (session.expiresAt < Date.now() + 60_000) await refresh(session)
  return session.access
}

// --- Pages ---

const app = express()

/** To cookies, 127.0.0.1 is another site: the browser would come back from Gatehouse without its session. */
app.use((request, response, next) => (request.get('Host') === new URL(home).host ? next() : response.redirect(home)))

app.get('/', async (request, response) => {
  const session = sessions.get(idOf(request))
  if (!session?.user) return response.send(page('<p><a href="/sign-in">Sign in</a></p>'))
  const user = await openid.fetchUserInfo(client, await accessToken(session), session.user) // as it is now
  response.send(page(`
    <p>Signed in as <b>${escaped(user.email)}</b></p>
    <p>The access token is good until <time>${new Date(session.expiresAt).toISOString()}</time></p>
    <form method="post" action="/refresh"><button>Refresh</button></form>
    <form method="post" action="/sign-out"><button>Sign out</button></form>`))
})

app.get('/sign-in', async (request, response) => {
  const { waiting } = sessions.get(idOf(request)) ?? begin(response)
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [openid.randomState(), openid.randomNonce()]
  waiting.set(expectedState, { pkceCodeVerifier, expectedState, expectedNonce })
  response.redirect(openid.buildAuthorizationUrl(client, {
    redirect_uri: redirectUri,
    scope: 'openid profile email offline_access',
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
  }).href)
})

app.get('/callback', async (request, response) => {
  const { waiting } = sessions.get(idOf(request)) ?? {}
  const checks = waiting?.get(request.query.state)
  if (!checks) return response.status(400).send(page('<p role="alert">This browser has not asked to sign in.</p>'))
  waiting.delete(checks.expectedState)
  const tokens = await openid.authorizationCodeGrant(client, new URL(request.originalUrl, home), checks)
  end(request)
  keep(begin(response, { waiting, user: tokens.claims().sub }), tokens)
  response.redirect('/')
})

app.post('/refresh', async (request, response) => {
  const session = sessions.get(idOf(request))
  if (session?.user) await refresh(session)
  response.redirect(303, '/')
})

app.post('/sign-out', (request, response) => {
  const { idToken } = end(request)
  response.clearCookie(COOKIE)
  const parameters = { post_logout_redirect_uri: home, ...(idToken && { id_token_hint: idToken }) }
  response.redirect(303, openid.buildEndSessionUrl(client, parameters).href)
})

/** A session that is over at Gatehouse is over here. One that only could not be asked about goes on. */
app.use((error, request, response, _next) => {
  console.error(error.code ?? error.name, error.message)
  const isOver = error.error === 'invalid_grant' || error instanceof openid.WWWAuthenticateChallengeError
  if (isOver && request.path !== '/callback') end(request)
  const isRefused = error instanceof openid.AuthorizationResponseError // the user has changed its mind
  response.status(isOver || isRefused ? 401 : 503).send(page('<p role="alert">That did not work.</p><p><a href="/">Go on</a></p>'))
})

const escaped = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
const page = (content) => `<!doctype html><html lang="en"><title>Notes</title><h1>Notes</h1>${content}</html>`

app.listen(port, () => console.log(home))
