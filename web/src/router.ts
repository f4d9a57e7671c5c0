import { nextTick } from 'vue';
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router';
import { i18n, needTexts, type Part } from './i18n';
import { useCity } from './stores/city';
import { useSession } from './stores/session';
import { usePrefs } from './stores/prefs';

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page title. */
    title: string;
    /** Needs an account. */
    staff?: boolean;
    /** Needs one of these permissions. */
    perms?: string[];
    /** Texts beyond those of everybody. */
    texts?: Part;
    /** No header and footer. */
    bare?: boolean;
    /** Has a wall look (lib/wall.ts). */
    wall?: boolean;
  }
}

const staff = (path: string, name: string, title: string, component: () => Promise<unknown>, more: object = {}): RouteRecordRaw =>
  ({ path, name, component, meta: { title, staff: true, ...more } }) as RouteRecordRaw;

const routes: RouteRecordRaw[] = [
  { path: '/', name: 'report', component: () => import('./views/ReportView.vue'), meta: { title: 'title.report' } },
  { path: '/follow', name: 'follow', component: () => import('./views/FollowView.vue'), meta: { title: 'title.follow' } },
  { path: '/f/:code', name: 'follow-link', component: () => import('./views/FollowView.vue'), meta: { title: 'title.follow' } },
  { path: '/cell', name: 'cell-card', component: () => import('./views/CellCardView.vue'), meta: { title: 'title.cell' } },
  { path: '/safety', name: 'safety', component: () => import('./views/SafetyView.vue'), meta: { title: 'title.safety', texts: 'index' } },
  { path: '/signin', name: 'signin', component: () => import('./views/SignInView.vue'), meta: { title: 'title.signin' } },
  { path: '/setup', name: 'setup', component: () => import('./views/SetupView.vue'), meta: { title: 'title.setup' } },
  { path: '/reset', name: 'reset', component: () => import('./views/ResetView.vue'), meta: { title: 'title.reset' } },
  staff('/work', 'work', 'title.work', () => import('./views/WorkView.vue')),
  staff('/desk', 'desk', 'title.desk', () => import('./views/DeskView.vue')),
  staff('/map', 'map', 'title.map', () => import('./views/CommandMapView.vue'), { wall: true }),
  staff('/cases', 'cases', 'title.cases', () => import('./views/CasesView.vue')),
  staff('/cases/:code', 'case', 'title.case', () => import('./views/CaseView.vue')),
  staff('/cases/:code/print', 'case-print', 'title.case_print', () => import('./views/CasePrintView.vue'), { bare: true }),
  staff('/index', 'index', 'title.index', () => import('./views/IndexView.vue'), { texts: 'index', wall: true }),
  staff('/index/:index/edit', 'index-edit', 'title.index_edit', () => import('./views/IndexEditView.vue'), { texts: 'edit' }),
  staff('/index/:index/backtest', 'index-backtest', 'title.index_backtest', () => import('./views/BacktestView.vue'), { texts: 'index' }),
  staff('/index/:index/:area', 'index-area', 'title.index_area', () => import('./views/IndexAreaView.vue'), { texts: 'index' }),
  staff('/indicators', 'indicators', 'title.indicators', () => import('./views/IndicatorsView.vue'), { texts: 'index' }),
  staff('/indicators/:name', 'indicator', 'title.indicator', () => import('./views/IndicatorView.vue'), { texts: 'index' }),
  staff('/warnings', 'warnings', 'title.warnings', () => import('./views/WarningsView.vue'), { texts: 'warnings', wall: true }),
  staff('/warnings/rules', 'warning-rules', 'title.warning_rules', () => import('./views/WarningRulesView.vue'), { texts: 'warnings' }),
  staff('/warnings/:code', 'warning', 'title.warning', () => import('./views/WarningView.vue'), { texts: 'warnings' }),
  staff('/supervision', 'supervision', 'title.supervision', () => import('./views/SupervisionView.vue'), { texts: 'warnings' }),
  staff('/supervision/:code/letter', 'supervision-letter', 'title.supervision_letter', () => import('./views/SupervisionLetterView.vue'), { texts: 'warnings', bare: true }),
  staff('/emergencies', 'emergencies', 'title.emergencies', () => import('./views/EmergenciesView.vue'), { texts: 'emergency' }),
  staff('/briefings', 'briefings', 'title.briefings', () => import('./views/BriefingsView.vue'), { texts: 'briefing' }),
  staff('/briefings/:id', 'briefing', 'title.briefing', () => import('./views/BriefingView.vue'), { texts: 'briefing' }),
  staff('/cells', 'cells', 'title.cells', () => import('./views/CellsView.vue')),
  staff('/posts', 'posts', 'title.posts', () => import('./views/PostsView.vue')),
  staff('/areas', 'areas', 'title.areas', () => import('./views/AreasView.vue')),
  staff('/account', 'account', 'title.account', () => import('./views/AccountView.vue')),
  staff('/notices', 'notices', 'title.notices', () => import('./views/NoticesView.vue')),
  staff('/admin/accounts', 'accounts', 'title.accounts', () => import('./views/AccountsView.vue')),
  staff('/admin/roles', 'roles', 'title.roles', () => import('./views/RolesView.vue')),
  staff('/admin/packs', 'packs', 'title.packs', () => import('./views/PacksView.vue')),
  staff('/admin/audit', 'audit', 'title.audit', () => import('./views/AuditView.vue')),
  { path: '/:rest(.*)*', name: 'lost', component: () => import('./views/LostView.vue'), meta: { title: 'title.lost' } },
];

export const router = createRouter({
  history: createWebHistory('/'),
  routes,
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
});

router.beforeEach(async (to) => {
  const session = useSession();
  if (!session.known && !session.stale) await session.load();
  if (session.account) await needTexts('staff');
  if (to.meta.texts) await needTexts(to.meta.texts);
  if (!to.meta.staff) return true;
  await needTexts('staff');
  if (!session.account) return { name: 'signin', query: { next: to.fullPath } };
  if (session.account.must_change && to.name !== 'account') return { name: 'account', query: { change: '1' } };
  return true;
});

export function showTitle(): void {
  const meta = router.currentRoute.value.meta;
  const t = i18n.global.t;
  const city = useCity().city?.name;
  const page = meta.title ? t(meta.title, { code: String(router.currentRoute.value.params.code ?? '') }) : '';
  document.title = [page, city, t('app.name')].filter(Boolean).join(' · ');
}

router.afterEach(async (to, from, failure) => {
  if (failure) return;
  document.documentElement.dataset.side = to.meta.staff ? 'staff' : 'public';
  const wall = to.meta.wall === true && to.query.wall === '1';
  document.documentElement.dataset.fit = to.name === 'map' || wall ? 'screen' : 'page';
  usePrefs().setWall(wall);
  showTitle();
  // The first page keeps the browser's own starting point; later ones start at their heading.
  if (from.matched.length === 0 || to.path === from.path) return;
  await nextTick();
  const heading = document.querySelector<HTMLElement>('main h1') ?? document.querySelector<HTMLElement>('main');
  if (heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
});
