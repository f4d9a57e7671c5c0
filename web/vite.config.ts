/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';
import { serviceWorker } from './plugins/service-worker.ts';

const server = process.env.GEZHI_SERVER ?? 'http://127.0.0.1:8080';
const passed = Object.fromEntries(['/api', '/tiles', '/basemap', '/open311', '/healthz'].map((p) => [p, { target: server }]));

export default defineConfig({
  plugins: [vue(), serviceWorker()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __VUE_OPTIONS_API__: 'false',
  },
  // Phones of 2018 stay in use: nothing newer than what Chrome 80 reads leaves the build.
  build: {
    target: 'chrome80',
    cssTarget: 'chrome80',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: { checks: { bundlerTimings: false } },
    reportCompressedSize: true,
  },
  worker: { format: 'es' },
  server: { proxy: passed },
  preview: { proxy: passed },
  test: { environment: 'node', include: ['tests/**/*.test.ts'] },
});
