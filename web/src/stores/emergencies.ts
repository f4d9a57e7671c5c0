import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { get, withQuery } from '@/lib/api';
import { listen } from '@/lib/stream/client';
import type { Page } from '@/lib/types';

/** An emergency: declared by one person, approved by another; while it is in force clocks of covered cases stand. */
export interface Emergency {
  id: number;
  version: number;
  title: string;
  area: string;
  area_name: string;
  /** Class ids, kinds, or a kind and a major class ("event-01"). */
  classes: string[];
  reason: string;
  state: 'declared' | 'paused' | 'ended';
  /** Cases are still being gone through. */
  working: boolean;
  declared_by: string;
  declared_at: string;
  approved_by: string | null;
  approved_at: string | null;
  ended_by: string | null;
  ended_at: string | null;
  n_paused: number;
  n_resumed: number;
  may_approve: boolean;
  may_end: boolean;
  n_covered?: number;
  n_urgent?: number;
  n_standing?: number;
}

const EVERY_MS = 60_000;

/** Emergencies that are declared or in force, for the line on every page of staff. */
export const useEmergencies = defineStore('emergencies', () => {
  const open = ref<Emergency[]>([]);
  const inForce = computed(() => open.value.filter((e) => e.state === 'paused'));
  let timer: ReturnType<typeof setInterval> | null = null;
  let off: (() => void) | null = null;

  // The pages work without this line: a failure shows where the list itself is asked for.
  async function load(): Promise<void> {
    const r = await get<Page<Emergency>>(withQuery('/api/v1/emergencies', { open: 'true' })).catch(() => null);
    if (r) open.value = r.items;
  }
  function stop(): void {
    open.value = [];
    if (timer) clearInterval(timer);
    timer = null;
    off?.();
    off = null;
  }
  /** From signing in to signing out: at once, each minute, and when a notice comes. */
  function start(): void {
    stop();
    void load();
    timer = setInterval(() => void load(), EVERY_MS);
    off = listen((m) => {
      if (m.type === 'notice') void load();
    });
  }
  return { open, inForce, load, start, stop };
});
