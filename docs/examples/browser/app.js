// A page without a server of its own: people sign in by a code in a mail, and see where else they are signed in.

const { url, apiKey } = await (await fetch('/gatehouse.json')).json()
const { createGatehouse } = await import(`${url}/static/gatehouse/gatehouse.js`)
const gatehouse = createGatehouse({ url, apiKey })

const element = (id) => document.getElementById(id)
const address = element('address')
const code = element('code')

const show = (part) => {
  for (const id of ['address', 'code', 'inside']) element(id).hidden = id !== part
}

/** First whom the stored token claims: good for a greeting, and for nothing else. Then whom the service knows. */
const greet = async ({ user, verified }) => {
  element('who').textContent = user?.email
  show(user ? 'inside' : 'address')
  if (user && verified) await listSessions()
}

/** Every call of a signed-in user goes like this: it is encrypted, and the token is refreshed before it expires. */
const listSessions = async () => {
  const { results } = await gatehouse.fetch('/api/auth/sessions')
  element('sessions').replaceChildren(...results.map(({ device, current }) => {
    return Object.assign(document.createElement('li'), { textContent: device + (current ? ', here' : '') })
  }))
}

/** What goes wrong is told to the user, in the words of the service. */
const attempt = async (work) => {
  element('problem').textContent = ''
  try {
    await work()
  } catch (error) {
    element('problem').textContent = error.message
  }
}

const onSubmit = (form, work) => form.addEventListener('submit', (event) => {
  event.preventDefault()
  attempt(work)
})

onSubmit(address, async () => {
  await gatehouse.requestCode(address.email.value)
  show('code')
  code.code.focus()
})

onSubmit(code, async () => {
  const answer = await gatehouse.verifyCode(address.email.value, code.code.value)
  if (answer.requires_2fa) throw new Error('This example has no form for a second factor.')
  code.reset()
})

element('leave').addEventListener('click', () => attempt(() => gatehouse.logout()))

const restore = () => attempt(async () => {
  for await (const seen of gatehouse.restore()) await greet(seen)
})

// Here or in another tab.
gatehouse.on('signed-in', restore)
gatehouse.on('signed-out', restore)
await restore()
