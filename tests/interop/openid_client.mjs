// Drives the example of docs/oauth.md: says where to send the user, and goes on with the address that the user came back to.
// node openid_client.mjs <module> <issuer> <redirect address> <address after sign-out>
import { createInterface } from 'node:readline'
import * as client from 'openid-client'

const [module, issuer, redirectUri, goodbye] = process.argv.slice(2)
const { config, begin, finish } = await import(module)
const say = (document) => console.log(JSON.stringify(document))

const begun = await begin(redirectUri)
say(begun)
for await (const line of createInterface({ input: process.stdin })) {
  const { tokens, claims, user } = await finish(line, begun)
  const again = await client.refreshTokenGrant(config, tokens.refresh_token)
  const reused = await finish(line, begun).catch((error) => error)
  const elsewhere = await client.discovery(new URL(issuer), 'any', undefined, undefined, {
    algorithm: 'oauth2',
    execute: [client.allowInsecureRequests],
  })
  const signOut = client.buildEndSessionUrl(config, {
    id_token_hint: again.id_token,
    post_logout_redirect_uri: goodbye,
    state: 'bye',
  })
  say({
    claims,
    user,
    scope: tokens.scope,
    refreshed: again.claims().sub,
    reused: reused.error,
    token_endpoint: elsewhere.serverMetadata().token_endpoint,
    sign_out: signOut.href,
  })
  break
}
process.exit(0)
