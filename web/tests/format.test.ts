import { describe, expect, it } from 'vitest';
import { agoWords, browserName, dateTime, distance, dueWords, shortTime, spaced, span, spelled, tidyCode, tidyWord } from '../src/lib/format';
import { passwordFault } from '../src/lib/password';
import { fitted, photoFault } from '../src/lib/photos';
import { emergencyNumbers } from '../src/lib/emergency';

const now = Date.parse('2026-11-22T12:00:00Z');
const at = (minutes: number): string => new Date(now + minutes * 60_000).toISOString();

describe('deadlines in words', () => {
  it('counts down and then up', () => {
    expect(dueWords(at(30), now)).toEqual({ key: 'due.in_minute', n: 30 });
    expect(dueWords(at(125), now)).toEqual({ key: 'due.in_hour', n: 2 });
    expect(dueWords(at(60 * 24 * 3), now)).toEqual({ key: 'due.in_day', n: 3 });
    expect(dueWords(at(-1), now)).toEqual({ key: 'due.over_minute', n: 1 });
    expect(dueWords(at(-60 * 50), now)).toEqual({ key: 'due.over_day', n: 2 });
    expect(dueWords(null, now)).toBeNull();
    expect(dueWords('nonsense', now)).toBeNull();
  });
  it('never says zero', () => expect(span(10)).toEqual({ unit: 'minute', n: 1 }));
  it('says how long ago', () => {
    expect(agoWords(at(0), now)).toEqual({ key: 'ago.now', n: 0 });
    expect(agoWords(at(-5), now)).toEqual({ key: 'ago.minute', n: 5 });
  });
});
describe('times stand in the zone of the city', () => {
  it('Shanghai and Boston see different clocks', () => {
    expect(dateTime('2026-11-22T16:30:00Z', 'zh-CN', 'Asia/Shanghai')).toContain('00:30');
    expect(dateTime('2026-11-22T16:30:00Z', 'en', 'America/New_York')).toContain('11:30');
    expect(shortTime('2026-11-22T16:30:00Z', 'en', 'Asia/Shanghai')).toContain('23');
  });
  it('an unknown zone does not break the page', () => expect(dateTime('2026-11-22T16:30:00Z', 'en', 'Mars/Base')).not.toBe(''));
  it('no time is empty', () => expect(dateTime(null, 'en')).toBe(''));
});
describe('codes', () => {
  it('are shown in groups and read letter by letter', () => {
    expect(spaced('ABCDEFGH')).toBe('ABCD EFGH');
    expect(spaced('320600-20261122-0001')).toBe('320600-20261122-0001');
    expect(spelled('AB-1')).toBe('A B - 1');
  });
  it('are understood as people type them', () => {
    expect(tidyCode(' ３２０６００－20261122–0001 ')).toBe('320600-20261122-0001');
    expect(tidyWord('abcd efgh')).toBe('ABCDEFGH');
    expect(tidyWord('abcd-efgh')).toBe('ABCDEFGH');
  });
});
describe('small rules', () => {
  it('distances', () => {
    expect(distance(48.6, 'zh-CN')).toBe('49 米');
    expect(distance(1520, 'en')).toBe('1.5 km');
  });
  it('photos', () => {
    expect(photoFault({ type: 'image/jpeg', size: 10 })).toBeNull();
    expect(photoFault({ type: '', size: 10, name: 'a.HEIC' })).toBeNull();
    expect(photoFault({ type: 'application/pdf', size: 10, name: 'a.pdf' })).toBe('type');
    expect(photoFault({ type: 'image/png', size: 30 * 1024 * 1024 })).toBe('size');
    expect(fitted(4000, 3000)).toEqual({ width: 2048, height: 1536 });
    expect(fitted(100, 50)).toEqual({ width: 100, height: 50 });
  });
  it('passwords', () => {
    expect(passwordFault('short', 'short')).toBe('short');
    expect(passwordFault('wang-2026-xx', 'wang-2026-xx', 'Wang')).toBe('name');
    expect(passwordFault('long enough 1', 'long enough 2')).toBe('differs');
    expect(passwordFault('一二三四五六七八九十', '一二三四五六七八九十', 'wang')).toBeNull();
  });
  it('browsers by name', () => {
    expect(browserName('Mozilla/5.0 (Linux; Android 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0 Mobile Safari/537.36')).toBe('Chrome, Android');
    expect(browserName('curl/8.0')).toBe('curl/8.0');
  });
  it('emergency numbers follow the city', () => {
    expect(emergencyNumbers('Asia/Shanghai').map((n) => n.number)).toEqual(['110', '119', '120']);
    expect(emergencyNumbers('America/New_York').map((n) => n.number)).toEqual(['911']);
  });
});
