/** What the rows of the editor share: the definitions of indicators, shares of the whole, where faults are, and how to change the tree. */
import type { ComputedRef, InjectionKey } from 'vue';
import type { DocNode, IndexDoc } from './indexdoc';
import type { Indicator } from './measure';

export interface Outline {
  root: ComputedRef<DocNode>;
  indicators: ComputedRef<Map<string, Indicator>>;
  share: ComputedRef<Map<number, number>>;
  fault(key: string): string;
  change(f: (root: DocNode, doc: IndexDoc) => void): void;
  compare(group: DocNode): void;
  /** Moves the focus to a row once it is drawn. */
  focus(id: number): void;
}
export const OUTLINE: InjectionKey<Outline> = Symbol('outline');
