/**
 * What a person has sent but the server has not yet confirmed. An item is stored before the first try and leaves only after a
 * confirmed reply or on the person's own word; each carries its own Idempotency-Key, so that a second try is never a second case.
 */
import { asProblem, newKey, Problem, request, type ProblemBody } from './api';
import { idbAll, idbDel, idbSet } from './idb';
import type { Case, ReportBody, Reported } from './types';

export interface OutPhoto {
  /** Input of the move, or "media" of a report. */
  field: string;
  name: string;
  blob: Blob;
  token?: string;
  /** When the token was given; the server lets it be attached for an hour. */
  at?: number;
}
export type OutState = 'waiting' | 'refused' | 'conflict';
export interface OutItem {
  id: string;
  kind: 'report' | 'move';
  created: number;
  /** Name of the account it belongs to; null for a report without one. */
  account: string | null;
  label: string;
  report?: ReportBody;
  move?: { code: string; move: string; inputs: Record<string, unknown>; version: number };
  photos: OutPhoto[];
  state: OutState;
  tries: number;
  /** Not before this moment. */
  next: number;
  problem?: { status: number; body: ProblemBody };
}
export type Sent = { kind: 'report'; item: OutItem; reply: Reported } | { kind: 'move'; item: OutItem; reply: Case };

const TOKEN_LIFE = 50 * 60_000;

/** Pause before try n (from 1): 2 s, 4 s, ... at most five minutes. */
export function pause(tries: number): number {
  return Math.min(300_000, 1000 * 2 ** Math.min(tries, 9));
}

export function newItem(part: Pick<OutItem, 'kind' | 'account' | 'label' | 'report' | 'move' | 'photos'>, now: number): OutItem {
  return { id: newKey(), created: now, state: 'waiting', tries: 0, next: 0, ...part };
}

/** Structured clones only: reactive proxies cannot be stored. */
function plain(item: OutItem): OutItem {
  return {
    ...item,
    report: item.report ? (JSON.parse(JSON.stringify(item.report)) as ReportBody) : undefined,
    move: item.move ? (JSON.parse(JSON.stringify(item.move)) as OutItem['move']) : undefined,
    problem: item.problem ? { status: item.problem.status, body: { ...item.problem.body } } : undefined,
    photos: item.photos.map((p) => ({ field: p.field, name: p.name, blob: p.blob, token: p.token, at: p.at })),
  };
}
export async function keep(item: OutItem): Promise<boolean> {
  return idbSet('outbox', item.id, plain(item));
}
export async function drop(id: string): Promise<void> {
  await idbDel('outbox', id);
}
export async function stored(): Promise<OutItem[]> {
  const all = await idbAll<OutItem>('outbox');
  return all.sort((a, b) => a.created - b.created);
}

async function uploadPhotos(item: OutItem, now: () => number): Promise<void> {
  for (const [i, p] of item.photos.entries()) {
    if (p.token && p.at && now() - p.at < TOKEN_LIFE) continue;
    const form = new FormData();
    form.append('file', p.blob, p.name);
    // A new key for a renewed token: the old key would answer with the old, expired one.
    const { data } = await request<{ media: string }>('POST', '/api/v1/media', { form, key: `${item.id}-${i}-${now()}` });
    p.token = data.media;
    p.at = now();
    await keep(item);
  }
}

/** One try. Changes the item's state and stores it; a confirmed item is removed from the store. */
export async function trySend(item: OutItem, now: () => number = Date.now): Promise<Sent | null> {
  try {
    await uploadPhotos(item, now);
    const tokens = (field: string): string[] => item.photos.filter((p) => p.field === field && p.token).map((p) => p.token as string);
    let sent: Sent;
    if (item.kind === 'report' && item.report) {
      const media = tokens('media');
      const body = media.length ? { ...item.report, media } : item.report;
      const { data } = await request<Reported>('POST', '/api/v1/cases', { body, key: item.id });
      sent = { kind: 'report', item, reply: data };
    } else if (item.move) {
      const body: Record<string, unknown> = { ...item.move.inputs };
      for (const field of new Set(item.photos.map((p) => p.field))) body[field] = tokens(field);
      const path = `/api/v1/cases/${encodeURIComponent(item.move.code)}/${encodeURIComponent(item.move.move)}`;
      const { data } = await request<Case>('POST', path, { body, key: `${item.id}-${item.move.version}`, ifMatch: item.move.version });
      sent = { kind: 'move', item, reply: data };
    } else {
      throw new Problem(422, { title: 'empty' });
    }
    await drop(item.id);
    return sent;
  } catch (e) {
    const problem = asProblem(e);
    item.tries += 1;
    item.problem = { status: problem.status, body: { ...problem.body } };
    // A conflict that stays is no race with our own first try.
    const conflict = problem.status === 409 && item.tries >= 5;
    if (problem.status === 401 || (problem.again && !conflict)) {
      item.state = 'waiting';
      item.next = now() + pause(item.tries);
    } else {
      item.state = problem.status === 412 ? 'conflict' : 'refused';
    }
    await keep(item);
    return null;
  }
}
