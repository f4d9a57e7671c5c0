import './lib/polyfills';
import './styles/main.css';
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { i18n, setLocale } from './i18n';
import { router } from './router';
import { useCity } from './stores/city';
import { useOutbox } from './stores/outbox';
import { usePrefs } from './stores/prefs';
import { useSession } from './stores/session';

// After an update the parts of the old build are gone from the server: take the new page.
window.addEventListener('vite:preloadError', (e) => {
  e.preventDefault();
  const last = Number(sessionStorage.getItem('gezhi.reloaded') ?? 0);
  if (Date.now() - last > 30_000) {
    sessionStorage.setItem('gezhi.reloaded', String(Date.now()));
    location.reload();
  }
});

async function start(): Promise<void> {
  const app = createApp(App);
  app.use(createPinia());
  app.use(i18n);
  // Texts, session, city and the first screen are fetched side by side: a slow line is waited for once.
  void useCity().loadCity();
  if (location.pathname === '/') {
    void import('./views/ReportView.vue');
    void useCity().loadClasses();
  }
  await Promise.all([setLocale(usePrefs().locale), useSession().load()]);
  app.use(router);
  await router.isReady();
  app.mount('#app');
  void useOutbox().start();
  if ('serviceWorker' in navigator && import.meta.env.PROD) {
    window.addEventListener('load', () => void navigator.serviceWorker.register('/sw.js').catch(() => undefined));
    if (document.readyState === 'complete') void navigator.serviceWorker.register('/sw.js').catch(() => undefined);
  }
}
void start();
