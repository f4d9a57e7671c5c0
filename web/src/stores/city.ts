import { defineStore } from 'pinia';
import { computed, ref } from 'vue';
import { get } from '@/lib/api';
import { idbGet, idbSet } from '@/lib/idb';
import type { CaseClass, City, FormField, Text } from '@/lib/types';

interface Form {
  items: CaseClass[];
  fields?: FormField[];
}

/** The city and its case classes: asked once, kept for a start without a line. */
export const useCity = defineStore('city', () => {
  const city = ref<City | null>(null);
  const classes = ref<CaseClass[]>([]);
  const fields = ref<FormField[]>([]);
  const failed = ref(false);
  const byId = computed(() => new Map(classes.value.map((c) => [c.id, c])));

  async function loadCity(): Promise<void> {
    if (city.value) return;
    try {
      city.value = await get<City>('/api/v1/city');
      void idbSet('kv', 'city', JSON.parse(JSON.stringify(city.value)));
    } catch {
      city.value = (await idbGet<City>('kv', 'city')) ?? null;
    }
  }
  let asking: Promise<void> | null = null;
  async function ask(): Promise<void> {
    failed.value = false;
    try {
      const r = await get<Form>('/api/v1/classes');
      classes.value = r.items;
      fields.value = r.fields ?? [];
      void idbSet('kv', 'form', JSON.parse(JSON.stringify(r)));
    } catch {
      const kept = await idbGet<Form>('kv', 'form');
      classes.value = kept?.items ?? [];
      fields.value = kept?.fields ?? [];
      failed.value = classes.value.length === 0;
    }
  }
  async function loadClasses(): Promise<void> {
    if (classes.value.length) return;
    asking ??= ask().finally(() => (asking = null));
    await asking;
  }
  function classTitle(id: string): Text {
    return byId.value.get(id)?.title ?? { en: id, zh: id };
  }
  return { city, classes, fields, byId, failed, loadCity, loadClasses, classTitle };
});
