import { computed, onScopeDispose, ref, type ComputedRef, type Ref } from 'vue';
import { useI18n } from 'vue-i18n';
import { Problem } from './api';
import { agoWords, dateTime, dueWords, shortTime } from './format';
import type { Text } from './types';
import { useCity } from '@/stores/city';

const now = ref(Date.now());
let users = 0;
let timer: ReturnType<typeof setInterval> | null = null;

/** The present moment, refreshed every 20 s while somebody looks. */
export function useNow(): Ref<number> {
  users += 1;
  timer ??= setInterval(() => (now.value = Date.now()), 20_000);
  now.value = Date.now();
  onScopeDispose(() => {
    users -= 1;
    if (users === 0 && timer) {
      clearInterval(timer);
      timer = null;
    }
  });
  return now;
}

export function pick(text: Text | string | null | undefined, locale: string): string {
  if (!text) return '';
  if (typeof text === 'string') return text;
  return (locale === 'en' ? text.en || text.zh : text.zh || text.en) ?? '';
}

export interface WordsApi {
  t: ReturnType<typeof useI18n>['t'];
  te: ReturnType<typeof useI18n>['te'];
  locale: Ref<string>;
  tx(text: Text | string | null | undefined): string;
  when(iso: string | null | undefined): string;
  short(iso: string | null | undefined): string;
  due(iso: string | null | undefined): string;
  ago(iso: string | null | undefined): string;
  why(p: Problem | null | undefined): string;
  zone: ComputedRef<string | undefined>;
}

/** Everything a screen needs to speak: texts, times in the city's zone, deadlines, and why something failed. */
export function useWords(): WordsApi {
  const { t, te, locale } = useI18n();
  const city = useCity();
  const clock = useNow();
  const zone = computed(() => city.city?.timezone);
  const words = (w: { key: string; n: number } | null): string => (w ? t(w.key, { n: w.n }, w.n) : '');
  return {
    t,
    te,
    locale,
    tx: (x) => pick(x, locale.value),
    when: (iso) => dateTime(iso, locale.value, zone.value),
    short: (iso) => shortTime(iso, locale.value, zone.value),
    due: (iso) => words(dueWords(iso, clock.value)),
    ago: (iso) => words(agoWords(iso, clock.value)),
    why: (p) => {
      if (!p) return '';
      if (p.status === 0) return t('problem.offline');
      const own = locale.value === 'en' ? p.body.title : p.body.title_zh;
      const key = `problem.s${p.status}`;
      const general = te(key) ? t(key) : p.status >= 500 ? t('problem.s500') : '';
      const detail = locale.value === 'en' ? p.body.detail : p.body.detail_zh;
      return [own || general || t('problem.other', { n: p.status }), detail].filter(Boolean).join(' ');
    },
    zone,
  };
}
