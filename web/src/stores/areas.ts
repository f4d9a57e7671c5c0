import { defineStore } from 'pinia';
import { reactive } from 'vue';
import { i18n } from '@/i18n';
import { get } from '@/lib/api';

/** An area as replies name it: a code, or an object with its names. */
export type AreaRef = string | { code?: string; name: string; name_en?: string | null } | null | undefined;
interface Named {
  name: string;
  name_en?: string | null;
}

/** Names of areas by code: asked once each, shown as the code until known. */
export const useAreas = defineStore('areas', () => {
  const known = reactive(new Map<string, Named | null>());

  function ask(code: string): void {
    if (known.has(code)) return;
    known.set(code, null);
    get<Named>('/api/v1/areas/' + encodeURIComponent(code))
      .then((a) => known.set(code, a))
      .catch(() => known.set(code, { name: code }));
  }
  function name(a: AreaRef): string {
    if (!a) return '';
    const en = i18n.global.locale.value === 'en';
    if (typeof a === 'object') return en ? a.name_en || a.name : a.name;
    const k = known.get(a);
    if (k === undefined) queueMicrotask(() => ask(a));
    return k ? (en ? k.name_en || k.name : k.name) : '';
  }
  /** The chain of areas in one line, largest first. */
  function names(chain: AreaRef[]): string {
    return chain.map(name).filter(Boolean).join(' ');
  }
  return { names };
});
