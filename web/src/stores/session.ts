import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { asProblem, get, onSignedOut, post, request, setCsrf } from '@/lib/api';
import { idbDel, idbGet, idbSet } from '@/lib/idb';
import { startStream, stopStream } from '@/lib/stream/client';
import type { Account } from '@/lib/types';

interface SessionReply {
  account: Account | null;
  csrf?: string;
}

/** Who is signed in on this browser, and what the rights are. */
export const useSession = defineStore('session', () => {
  const account = ref<Account | null>(null);
  const known = ref(false);
  /** The server could not be asked; the account is the one of the last visit, good for reading kept lists only. */
  const stale = ref(false);
  const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('gezhi-session');

  function take(r: SessionReply): void {
    account.value = r.account;
    setCsrf(r.account ? (r.csrf ?? null) : null);
    known.value = true;
    stale.value = false;
    if (r.account) {
      void idbSet('kv', 'account', JSON.parse(JSON.stringify(r.account)));
      if (!r.account.must_change) startStream();
    } else {
      stopStream();
    }
  }
  let asking: Promise<void> | null = null;
  async function load(): Promise<void> {
    asking ??= (async () => {
      try {
        take(await get<SessionReply>('/api/v1/session'));
        if (!account.value) await idbDel('kv', 'account');
      } catch (e) {
        if (!asProblem(e).again) {
          take({ account: null });
        } else {
          account.value = (await idbGet<Account>('kv', 'account')) ?? null;
          stale.value = true;
        }
      } finally {
        asking = null;
      }
    })();
    await asking;
  }
  async function signIn(name: string, password: string): Promise<void> {
    take(await post<SessionReply>('/api/v1/session', { name, password }));
    channel?.postMessage('in');
  }
  async function signOut(): Promise<void> {
    try {
      await request('DELETE', '/api/v1/session');
    } finally {
      await Promise.all([idbDel('kv', 'account'), idbDel('kv', 'work')]);
      take({ account: null });
      channel?.postMessage('out');
    }
  }
  const can = computed(() => {
    const have = new Set(account.value?.grants ?? []);
    return (...names: string[]): boolean => names.some((n) => have.has(n));
  });
  if (channel) {
    channel.onmessage = (e) => {
      if (e.data === 'out') take({ account: null });
      else void load();
    };
  }
  onSignedOut(() => {
    if (account.value && !stale.value) take({ account: null });
  });
  return { account, known, stale, load, take, signIn, signOut, can };
});
