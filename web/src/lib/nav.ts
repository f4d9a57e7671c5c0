export interface NavLink {
  to: string;
  text: string;
  /** In the fold-out part. */
  more?: boolean;
}
type Can = (...permissions: string[]) => boolean;

/** The links a person may use: by the grants of the session, nothing by the name of a role. */
export function staffLinks(can: Can): NavLink[] {
  const links: NavLink[] = [];
  const add = (ok: boolean, to: string, text: string, more = false): void => {
    if (ok) links.push({ to, text, more });
  };
  add(can('case.move'), '/work', 'nav.work');
  add(can('case.move') && can('post.manage'), '/desk', 'nav.desk');
  add(can('case.read') && can('count.read'), '/map', 'nav.map');
  add(can('case.read'), '/cases', 'nav.cases');
  add(can('index.read'), '/index', 'nav.index');
  add(can('warning.read'), '/warnings', 'nav.warnings');
  add(can('account.read', 'account.manage'), '/admin/accounts', 'nav.accounts');
  add(can('audit.read'), '/admin/audit', 'nav.audit');
  add(can('grid.read', 'post.manage'), '/cells', 'nav.cells', true);
  add(can('index.read'), '/indicators', 'nav.indicators', true);
  add(can('warning.read'), '/supervision', 'nav.supervision', true);
  add(can('briefing.read'), '/briefings', 'nav.briefings', true);
  add(can('emergency.declare', 'emergency.approve'), '/emergencies', 'nav.emergencies', true);
  add(can('post.manage', 'grid.read'), '/posts', 'nav.posts', true);
  add(can('grid.read', 'grid.manage'), '/areas', 'nav.areas', true);
  add(can('pack.read', 'account.manage', 'rights.review'), '/admin/roles', 'nav.roles', true);
  add(can('pack.read', 'pack.manage'), '/admin/packs', 'nav.packs', true);
  return links;
}

/** Where a person starts after signing in: at the desk who has one, at the index who reads briefings without a desk. */
export function home(can: Can): string {
  const links = staffLinks(can);
  const start = (to: string): NavLink | undefined => links.find((l) => l.to === to);
  return (start('/desk') ?? (can('briefing.read') ? start('/index') : undefined) ?? links[0])?.to ?? '/account';
}
