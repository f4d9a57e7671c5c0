import { createI18n } from 'vue-i18n';

export const LOCALES = ['zh-CN', 'en'] as const;
export type LocaleName = (typeof LOCALES)[number];
export type Part = 'public' | 'staff' | 'index' | 'edit' | 'warnings' | 'emergency' | 'briefing';

const files: Record<LocaleName, Record<Part, () => Promise<{ default: Record<string, unknown> }>>> = {
  'zh-CN': { public: () => import('./locales/zh-CN/public'), staff: () => import('./locales/zh-CN/staff'), index: () => import('./locales/zh-CN/index'), edit: () => import('./locales/zh-CN/edit'), warnings: () => import('./locales/zh-CN/warnings'), briefing: () => import('./locales/zh-CN/briefing'), emergency: () => import('./locales/zh-CN/emergency') },
  en: { public: () => import('./locales/en/public'), staff: () => import('./locales/en/staff'), index: () => import('./locales/en/index'), edit: () => import('./locales/en/edit'), warnings: () => import('./locales/en/warnings'), briefing: () => import('./locales/en/briefing'), emergency: () => import('./locales/en/emergency') },
};

export const i18n = createI18n({ legacy: false, locale: 'zh-CN', fallbackLocale: [], messages: {} });
const parts = new Set<Part>(['public']);
const loaded = new Set<string>();

async function load(locale: LocaleName, part: Part): Promise<void> {
  const id = `${locale}/${part}`;
  if (loaded.has(id)) return;
  const m = await files[locale][part]();
  i18n.global.mergeLocaleMessage(locale, m.default);
  loaded.add(id);
}

/** Loads the texts of a part of the page in the current language; staff texts only once somebody signed in. */
export async function needTexts(part: Part): Promise<void> {
  parts.add(part);
  await load(i18n.global.locale.value as LocaleName, part);
}
export async function setLocale(locale: LocaleName): Promise<void> {
  await Promise.all(Array.from(parts, (p) => load(locale, p)));
  i18n.global.locale.value = locale;
  document.documentElement.lang = locale;
}
export function firstLocale(stored: string | null, languages: readonly string[]): LocaleName {
  if (stored === 'zh-CN' || stored === 'en') return stored;
  for (const l of languages) {
    if (/^zh/i.test(l)) return 'zh-CN';
    if (/^en/i.test(l)) return 'en';
  }
  return 'zh-CN';
}
