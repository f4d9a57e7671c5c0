import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue';

/** The width of a box in CSS pixels, followed while it is shown: plots are drawn to their width. */
export function useWidth(box: Ref<HTMLElement | null>): Ref<number> {
  const width = ref(640);
  let watcher: ResizeObserver | null = null;
  onMounted(() => {
    if (!box.value || typeof ResizeObserver === 'undefined') return;
    watcher = new ResizeObserver((e) => {
      const w = Math.round(e[0].contentRect.width);
      if (w > 0 && Math.abs(w - width.value) > 1) width.value = w;
    });
    watcher.observe(box.value);
  });
  onBeforeUnmount(() => watcher?.disconnect());
  return width;
}
