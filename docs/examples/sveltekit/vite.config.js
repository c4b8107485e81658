import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

// The customer lists this origin. At the next free port, which Vite would take otherwise, no call would be allowed.
const here = { port: Number(process.env.PORT ?? 5505), strictPort: true }

export default defineConfig({ plugins: [sveltekit()], server: here, preview: here })
