import { onMounted, onScopeDispose } from 'vue';
import { listen } from './stream/client';

/** Calls `reload` a moment after something happened to a case; many events at once count as one. */
export function whenCasesChange(reload: () => void, pause = 400): void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let off: () => void = () => undefined;
  onMounted(() => {
    off = listen((m) => {
      if (m.type !== 'case' && m.type !== 'reset') return;
      timer ??= setTimeout(() => {
        timer = null;
        reload();
      }, pause);
    });
  });
  onScopeDispose(() => {
    off();
    if (timer) clearTimeout(timer);
  });
}
