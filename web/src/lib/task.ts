import { ref, type Ref } from 'vue';
import { asProblem, type Problem } from './api';

/** One thing that a screen does with the server: while it runs it is busy, and why it failed is kept to be shown. */
export interface Task {
  busy: Ref<boolean>;
  problem: Ref<Problem | null>;
  /** Whether it went through. */
  run(f: () => Promise<unknown>): Promise<boolean>;
}
export function useTask(): Task {
  const busy = ref(false);
  const problem = ref<Problem | null>(null);
  async function run(f: () => Promise<unknown>): Promise<boolean> {
    busy.value = true;
    problem.value = null;
    try {
      await f();
      return true;
    } catch (e) {
      problem.value = asProblem(e);
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, problem, run };
}
