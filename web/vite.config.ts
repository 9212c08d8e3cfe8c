// The build of the pages: everything is bundled into ../api/static, which the api serves at "/".
import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

/**
 * The calendar carries an icon font as a data: address in its code. None of its icons is used here, and the api's
 * content security policy lets no such font in: without it the policy stays strict and nobody's console complains.
 */
function withoutCalendarIcons(): Plugin {
  return {
    name: 'without-calendar-icons',
    transform(code, id) {
      if (!id.includes('@fullcalendar/core') || !code.includes('fcicons')) return null
      return { code: code.replace(/@font-face\s*\{[^}]*fcicons[^}]*\}/, ''), map: null }
    },
  }
}

const api = process.env['LECTERN_API'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  base: '/',
  plugins: [
    vue(),
    withoutCalendarIcons(),
    Components({
      dirs: [], // our own parts are imported by name; only Element Plus is found by its tag
      dts: 'src/components.d.ts',
      // Tests run where no style sheet can be loaded, and look at none.
      resolvers: [ElementPlusResolver({ importStyle: process.env['VITEST'] ? false : 'css' })],
    }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: '../api/static',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 600, // hls.js alone is near it, and only player pages load it
  },
  server: {
    proxy: {
      // The api holds writes to its own origin, so the dev server speaks as that origin.
      '/api': { target: api, headers: { origin: api } },
      '/replay': api,
    },
  },
  test: {
    environment: 'node', // a test that needs a page says so in its first line
    include: ['src/**/*.test.ts'],
  },
})
