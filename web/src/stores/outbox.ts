import { defineStore } from 'pinia';
import { computed, ref, shallowRef, triggerRef } from 'vue';
import { drop, keep, newItem, stored, trySend, type OutItem, type Sent } from '@/lib/outbox';
import { idbGet, idbSet } from '@/lib/idb';
import type { Reported } from '@/lib/types';
import { useSession } from './session';

/** A report that left this device while nobody was looking: its code and word must not be lost. */
export interface SentReport {
  at: number;
  label: string;
  reply: Reported;
}

export const useOutbox = defineStore('outbox', () => {
  const items = shallowRef<OutItem[]>([]);
  const online = ref(navigator.onLine);
  const sent = ref<SentReport[]>([]);
  const sending = ref<string | null>(null);
  const watchers = new Set<(s: Sent) => void>();
  const open = computed(() => items.value.filter((i) => i.state === 'waiting').length);
  let timer: ReturnType<typeof setTimeout> | null = null;
  let busy = false;

  async function refresh(): Promise<void> {
    items.value = await stored();
  }
  function schedule(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    const next = items.value.filter((i) => i.state === 'waiting').map((i) => i.next);
    if (next.length) timer = setTimeout(() => void flush(), Math.max(500, Math.min(...next) - Date.now()));
  }
  function mayGo(item: OutItem): boolean {
    if (item.state !== 'waiting' || item.next > Date.now()) return false;
    const session = useSession();
    // After a start without a line the account is only remembered: it has no token for writing yet.
    return item.kind === 'report' || (!session.stale && item.account === (session.account?.name ?? null));
  }
  async function rememberReport(s: Sent): Promise<void> {
    if (s.kind !== 'report') return;
    sent.value = [...sent.value, { at: Date.now(), label: s.item.label, reply: s.reply }];
    await idbSet('kv', 'sent', JSON.parse(JSON.stringify(sent.value)));
  }
  /** Sends what is due, one after another. With `background` a sent report is kept until its owner has seen the code. */
  async function run(only?: string): Promise<Sent | null> {
    let result: Sent | null = null;
    for (const item of items.value) {
      if (only ? item.id !== only : !mayGo(item)) continue;
      sending.value = item.id;
      const s = await trySend(item);
      sending.value = null;
      triggerRef(items);
      if (s) {
        if (only) result = s;
        else await rememberReport(s);
        watchers.forEach((f) => f(s));
      }
    }
    await refresh();
    schedule();
    return result;
  }
  async function exclusive<T>(f: () => Promise<T>): Promise<T | null> {
    if (busy) return null;
    busy = true;
    try {
      if ('locks' in navigator) {
        return await navigator.locks.request('gezhi-outbox', { ifAvailable: true }, (lock) => (lock ? f() : Promise.resolve(null)));
      }
      return await f();
    } finally {
      busy = false;
    }
  }
  async function flush(): Promise<void> {
    await refresh();
    const session = useSession();
    if (session.stale && items.value.length && navigator.onLine) await session.load();
    if (items.value.some(mayGo)) await exclusive(() => run());
    schedule();
  }
  /** Stores the item first, then tries at once. The reply, or null when it stays in the queue (look at the item's state). */
  async function submit(part: Parameters<typeof newItem>[0]): Promise<{ item: OutItem; sent: Sent | null; safe: boolean }> {
    const item = newItem(part, Date.now());
    const safe = await keep(item);
    await refresh();
    const s = await exclusive(() => run(item.id));
    const now = items.value.find((i) => i.id === item.id) ?? item;
    return { item: now, sent: s, safe };
  }
  async function again(id: string, version?: number): Promise<Sent | null> {
    const item = items.value.find((i) => i.id === id);
    if (!item) return null;
    item.state = 'waiting';
    item.next = 0;
    if (item.move && version !== undefined) item.move.version = version;
    await keep(item);
    return exclusive(() => run(id));
  }
  async function forget(id: string): Promise<void> {
    await drop(id);
    await refresh();
  }
  async function seen(code: string): Promise<void> {
    sent.value = sent.value.filter((s) => s.reply.code !== code);
    await idbSet('kv', 'sent', JSON.parse(JSON.stringify(sent.value)));
  }
  async function start(): Promise<void> {
    sent.value = (await idbGet<SentReport[]>('kv', 'sent')) ?? [];
    window.addEventListener('online', () => {
      online.value = true;
      items.value.forEach((i) => (i.next = 0));
      const waiting = items.value.filter((i) => i.state === 'waiting');
      void Promise.all([useSession().load(), ...waiting.map(keep)]).then(flush);
    });
    window.addEventListener('offline', () => (online.value = false));
    await flush();
  }
  function onSent(f: (s: Sent) => void): () => void {
    watchers.add(f);
    return () => watchers.delete(f);
  }
  return { items, online, open, sent, sending, start, flush, submit, again, forget, seen, onSent };
});
