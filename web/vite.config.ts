// The build of the pages: everything is bundled into ../api/static, which the api serves at "/".
import { fileURLToPath, URL } from 'node:url'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig } from 'vitest/config'

const api = process.env['LECTERN_API'] ?? 'http://127.0.0.1:8080'

export default defineConfig({
  base: '/',
  plugins: [
    vue(),
    Components({
      dirs: [], // our own parts are imported by name; only Element Plus is found by its tag
      dts: 'src/components.d.ts',
      resolvers: [ElementPlusResolver({ importStyle: 'css' })],
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
