import { computed, onBeforeUnmount, onMounted, ref, watch, type ComputedRef, type Ref } from 'vue';
import { useRoute, useRouter } from 'vue-router';
import { listen, streamIsLive } from './stream/client';
import { usePrefs } from '@/stores/prefs';

/** The wall look of a page: large, dark, without controls. It stands in the address (?wall=1), so that a screen can begin with it. */
export function useWall(): { wall: ComputedRef<boolean>; setWall(on: boolean): void } {
  const prefs = usePrefs();
  const route = useRoute();
  const router = useRouter();
  return {
    wall: computed(() => prefs.wall),
    setWall(on) {
      prefs.setWall(on);
      void router.replace({ query: { ...route.query, wall: on ? '1' : undefined } });
      if (on && document.documentElement.requestFullscreen) void document.documentElement.requestFullscreen().catch(() => undefined);
      else if (!on && document.fullscreenElement) void document.exitFullscreen();
    },
  };
}

/** Whether the event stream stands, followed. */
export function useLive(): Ref<boolean> {
  const live = ref(streamIsLive());
  let off: () => void = () => undefined;
  onMounted(() => {
    live.value = streamIsLive();
    off = listen((m) => {
      if (m.type === 'state') live.value = Boolean(m.data);
    });
  });
  onBeforeUnmount(() => off());
  return live;
}

/** Nobody reloads a wall: what time alone changes (deadlines, the day) is looked at anew every few minutes while it is on. */
export function onWallEvery(ms: number, reload: () => void): void {
  const prefs = usePrefs();
  let timer: ReturnType<typeof setInterval> | null = null;
  const stop = (): void => {
    if (timer) clearInterval(timer);
    timer = null;
  };
  watch(
    () => prefs.wall,
    (on) => {
      stop();
      if (on) timer = setInterval(reload, ms);
    },
    { immediate: true },
  );
  onBeforeUnmount(stop);
}
