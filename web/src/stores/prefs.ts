import { defineStore } from 'pinia';
import { ref } from 'vue';
import { firstLocale, setLocale, type LocaleName } from '@/i18n';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return;
  }
}

/** What a person chose for this browser: language, text size, wall look. */
export const usePrefs = defineStore('prefs', () => {
  const locale = ref<LocaleName>(firstLocale(read('gezhi.locale'), navigator.languages ?? []));
  const large = ref(read('gezhi.large') === '1');
  const wall = ref(false);

  function showText(): void {
    document.documentElement.dataset.text = large.value ? 'large' : 'normal';
  }
  async function choose(l: LocaleName): Promise<void> {
    await setLocale(l);
    locale.value = l;
    write('gezhi.locale', l);
  }
  function setLarge(on: boolean): void {
    large.value = on;
    write('gezhi.large', on ? '1' : '0');
    showText();
  }
  function setWall(on: boolean): void {
    wall.value = on;
    if (on) document.documentElement.dataset.look = 'wall';
    else delete document.documentElement.dataset.look;
  }
  showText();
  return { locale, large, wall, choose, setLarge, setWall };
});
