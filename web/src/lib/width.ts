import { onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue';

/** The width (or height) of a box in CSS pixels, followed while it is shown: plots are drawn to it. The box may come and go. */
export function useWidth(box: Ref<HTMLElement | null>, side: 'width' | 'height' = 'width'): Ref<number> {
  const size = ref(640);
  let watcher: ResizeObserver | null = null;
  onMounted(() => {
    if (typeof ResizeObserver === 'undefined') return;
    watcher = new ResizeObserver((e) => {
      const w = Math.round(e[0].contentRect[side]);
      if (w > 0 && Math.abs(w - size.value) > 1) size.value = w;
    });
    watch(
      box,
      (el, was) => {
        if (was) watcher?.unobserve(was);
        if (el) watcher?.observe(el);
      },
      { immediate: true },
    );
  });
  onBeforeUnmount(() => watcher?.disconnect());
  return size;
}
