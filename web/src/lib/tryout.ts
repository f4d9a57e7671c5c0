/** What the server says of the text of an index: what is wrong with it, or how its ranks differ from those in force. Pure. */
import type { Band } from './measure';

export interface Standing {
  value: number | null;
  band: string | null;
  rank: number | null;
}
export interface TriedArea {
  area: string;
  name: string;
  name_en?: string | null;
  tried: Standing;
  in_force: Standing | null;
}
export interface CheckReply {
  ok: boolean;
  faults: { line: number; text: string }[];
  preview: { index: string; version: number; period: string; level: string; bands: Band[]; areas: TriedArea[] } | null;
  doc: Record<string, unknown> | null;
}
/** Areas that would stand at another place, farthest first. */
export function places(areas: readonly TriedArea[]): { area: TriedArea; by: number }[] {
  return areas
    .filter((a) => a.in_force && a.tried.rank && a.in_force.rank && a.tried.rank !== a.in_force.rank)
    .map((area) => ({ area, by: (area.in_force?.rank ?? 0) - (area.tried.rank ?? 0) }))
    .sort((a, b) => Math.abs(b.by) - Math.abs(a.by) || (a.area.tried.rank ?? 0) - (b.area.tried.rank ?? 0));
}
/** Areas whose colour would be another, or that would get or lose a score. */
export function recoloured(areas: readonly TriedArea[]): TriedArea[] {
  return areas.filter((a) => a.in_force && a.in_force.band !== a.tried.band);
}
