import { ref, type Ref } from 'vue';
import { asProblem, get, type Problem } from './api';
import type { Page } from './types';

/** A list that the server gives a page at a time. */
export interface Listed<T> {
  items: Ref<T[]>;
  /** Where the next page begins; null at the end. */
  next: Ref<string | null>;
  loading: Ref<boolean>;
  problem: Ref<Problem | null>;
  /** The first page anew, or the page that begins `after`. What was asked for before and comes late is dropped. */
  load(after?: string, limit?: number): Promise<void>;
}
export function useList<T>(path: (after: string | undefined, limit: number) => string): Listed<T> {
  const items = ref([]) as Ref<T[]>;
  const next = ref<string | null>(null);
  const loading = ref(true);
  const problem = ref<Problem | null>(null);
  let asked = 0;
  async function load(after?: string, limit = 50): Promise<void> {
    const mine = ++asked;
    loading.value = true;
    problem.value = null;
    try {
      const r = await get<Page<T>>(path(after, limit));
      if (mine !== asked) return;
      items.value = after ? [...items.value, ...r.items] : r.items;
      next.value = r.next ? String(r.next) : null;
    } catch (e) {
      if (mine === asked) problem.value = asProblem(e);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }
  return { items, next, loading, problem, load };
}
