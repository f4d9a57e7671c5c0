import { about, daysOf, inSentence, rarity, roundRadius, sawShape, type Signal } from './warn';
import { distance } from './format';
import { useWords } from './words';
import { useAreas } from '@/stores/areas';
import { useCity } from '@/stores/city';

/** Says in one plain sentence what a rule saw: how many of what, where, in which time, how many were to be expected, how rare that is. */
export function useSaw(): { saw: (s: Signal) => string; day: (iso: string) => string } {
  const { t, tx, locale } = useWords();
  const city = useCity();
  const areas = useAreas();

  /** A local day of the city, `2026-07-09`: no zone is applied to it. */
  function day(iso: string): string {
    const d = new Date(`${iso.slice(0, 10)}T00:00:00Z`);
    if (Number.isNaN(d.getTime())) return iso;
    return new Intl.DateTimeFormat(locale.value === 'en' ? 'en-GB' : locale.value, { timeZone: 'UTC', year: 'numeric', month: 'short', day: 'numeric' }).format(d);
  }
  function saw(s: Signal): string {
    const days = daysOf(s.from, s.day);
    const title = s.class ? tx(s.class_title ?? city.classTitle(s.class)) : '';
    const what = title ? (locale.value === 'en' ? inSentence(title) : title) : t('wn.any_class');
    const radius = roundRadius(s.radius_m ?? 0);
    const names = areas.names(s.places?.slice(0, 3) ?? []);
    const shape = sawShape(s);
    const head = t(
      'wn.saw_' + shape,
      {
        n: s.observed,
        what,
        place: names || (s.places ?? []).slice(0, 3).join(' ') || t('wn.this_place'),
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
