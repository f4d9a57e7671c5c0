import { get } from './api';
import type { Unit } from './types';

let asked: Promise<Unit[]> | null = null;
/** The units of the city, asked once a visit. */
export function loadUnits(): Promise<Unit[]> {
  asked ??= get<{ items: Unit[] }>('/api/v1/units')
    .then((r) => r.items)
    .catch((e) => {
      asked = null;
      throw e;
    });
  return asked;
}
