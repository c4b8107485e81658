import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [sveltekit({ adapter: adapter() })],
  // The customer lists this origin. At the next free port, which Vite would take otherwise, no call would be allowed.
  server: { port: Number(process.env.PORT ?? 5505), strictPort: true },
})
