import { defineStore } from 'pinia';
import { ref } from 'vue';
import { get, post, withQuery } from '@/lib/api';
import { listen } from '@/lib/stream/client';
import type { Notice } from '@/lib/types';

interface NoticeReply {
  items: Notice[];
  unread: number;
  next?: string | null;
}

/** In-page notices of the signed-in person. */
export const useNotices = defineStore('notices', () => {
  const items = ref<Notice[]>([]);
  const unread = ref(0);
  const next = ref<string | null>(null);
  let timer: ReturnType<typeof setTimeout> | null = null;

  async function load(after?: string): Promise<void> {
    const r = await get<NoticeReply>(withQuery('/api/v1/notices', { after }));
    items.value = after ? [...items.value, ...r.items] : r.items;
    unread.value = r.unread ?? 0;
    next.value = r.next ?? null;
  }
  async function read(): Promise<void> {
    const top = items.value.reduce((m, n) => Math.max(m, n.id), 0);
    if (!top || !unread.value) return;
    await post('/api/v1/notices/read', { upto: top });
    unread.value = 0;
  }
  listen((m) => {
    if (m.type !== 'notice') return;
    timer ??= setTimeout(() => {
      timer = null;
      void load().catch(() => undefined);
    }, 500);
  });
  function clear(): void {
    items.value = [];
    unread.value = 0;
  }
  return { items, unread, next, load, read, clear };
});
