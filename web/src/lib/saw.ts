import { ref } from 'vue';
import { about, daysOf, inSentence, rarity, roundRadius, sawShape, type Signal } from './warn';
import { distance } from './format';
import { figure } from './measure';
import { loadUnits } from './units';
import type { Unit } from './types';
import { useWords } from './words';
import { useAreas } from '@/stores/areas';
import { useCity } from '@/stores/city';

const units = ref<Unit[] | null>(null);
/** Says in one plain sentence what a rule saw: how many of what, where, in which time, how many were to be expected, how rare that is. */
export function useSaw(): { saw: (s: Signal) => string; day: (iso: string) => string } {
  const { t, te, tx, locale } = useWords();
  const city = useCity();
  const areas = useAreas();

  /** A local day of the city, `2026-07-09`: no zone is applied to it. */
  function day(iso: string): string {
    const d = new Date(`${iso.slice(0, 10)}T00:00:00Z`);
    if (Number.isNaN(d.getTime())) return iso;
    return new Intl.DateTimeFormat(locale.value === 'en' ? 'en-GB' : locale.value, { timeZone: 'UTC', year: 'numeric', month: 'short', day: 'numeric' }).format(d);
  }
  /** Names of the places: areas, cells, or the units of a rule about units. */
  function where(s: Signal): string {
    const codes = (s.places ?? []).slice(0, 3);
    if (s.level !== 'unit') return areas.names(codes) || codes.join(' ') || t('wn.this_place');
    if (!units.value) void loadUnits().then((u) => (units.value = u)).catch(() => undefined);
    return codes.map((c) => tx(units.value?.find((u) => u.code === c)?.name) || c).join(' ');
  }
  function percent(v: number | null | undefined): string {
    return v === null || v === undefined ? '–' : String(Math.round(v * 100));
  }
  function sawFigure(s: Signal, shape: string): string {
    const place = s.level === 'city' ? t('wn.whole_city') : where(s);
    if (shape === 'late') return t('wn.saw_late', { place, n: percent(s.observed), limit: percent(s.expected) }) + t('wn.stop');
    const band = s.band && te('wn.color_' + s.band) ? t('wn.color_' + s.band) : (s.band ?? '');
    return t('wn.saw_' + shape, { place, n: figure(s.observed), limit: figure(s.expected), band }) + ((s.periods ?? 0) > 1 ? t('wn.in_a_row', { n: s.periods }) : '') + t('wn.stop');
  }
  function saw(s: Signal): string {
    const shape = sawShape(s);
    if (shape === 'band' || shape === 'late' || shape === 'figure') return sawFigure(s, shape);
    const days = daysOf(s.from, s.day);
    const title = s.class ? tx(s.class_title ?? city.classTitle(s.class)) : '';
    const what = title ? (locale.value === 'en' ? inSentence(title) : title) : t('wn.any_class');
    const radius = roundRadius(s.radius_m ?? 0);
    const head = t(
      'wn.saw_' + shape,
      {
        n: s.observed,
        what,
        place: where(s),
        where: radius ? t('wn.within', { m: distance(radius, locale.value) }) : t('wn.one_point'),
        time: days === 1 ? t('wn.on_day', { day: day(s.day) }) : t('wn.in_days', { n: days }),
      },
      s.observed,
    );
    const e = about(s.expected);
    const r = rarity(s.recurrence_days);
    return head + (e ? t('wn.expected_' + e.key, { n: e.n }) : '') + (r ? t('wn.chance_' + r.unit, { n: r.n }, r.n) : '') + t('wn.stop');
  }
  return { saw, day };
}
