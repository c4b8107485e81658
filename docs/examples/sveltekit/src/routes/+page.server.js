import { readFileSync } from 'node:fs'

/** What everybody may see is rendered here. Who is signed in is not known here, and the tokens are not needed. */
export const load = () => {
  const facts = JSON.parse(readFileSync(process.env.GATEHOUSE_DEMO ?? '../../../.data/demo.json'))
  return {
    news: ['The library opens on Sundays.'],
    gatehouse: { url: facts.base_url, apiKey: facts.api_key },
  }
}
