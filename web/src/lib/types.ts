/** Shapes of docs/api.md that the page reads. */

export interface Text {
  en: string;
  zh: string;
}
export type Light = 'green' | 'yellow' | 'red' | 'paused' | null;
/** The clock stands; what was left and by which emergency is told to staff only. */
export interface Paused {
  since: string;
  until: string | null;
  why: 'suspended' | 'emergency';
  was_due?: string | null;
  left_minutes?: number;
  emergency?: number | null;
}

export interface City {
  name: string;
  invented: boolean;
  timezone: string;
  /** Null while the city has no areas and cells yet. */
  centre: [number, number] | null;
  bbox: [number, number, number, number] | null;
  levels: (string | { level: string | number; name?: string; title?: Text })[];
  layers: (string | { layer?: string; name?: string; title?: Text })[];
  basemap: boolean;
  locales: string[];
}
export interface FormField {
  name: string;
  kind: string;
  title: Text;
  hint?: Text;
  required?: boolean;
  min?: number;
  max?: number;
  options?: { code?: string; value?: string; title: Text }[];
}
export interface CaseClass {
  id: string;
  kind: string;
  code: string;
  title: Text;
  major: { code: string; en: string; zh: string };
  needs_place: boolean;
  urgent: boolean;
  private: boolean;
  process: string;
}
export interface Photo {
  media: string;
  thumb: string;
  /** The whole picture. */
  url?: string;
}
export interface Party {
  kind: string;
  name: string;
  contact?: string;
  statement?: string;
  agreed?: boolean | null;
}
export interface ReportBody {
  class: string;
  lon?: number;
  lat?: number;
  /** Code of an area, of what has no point. */
  area?: string;
  place?: string;
  description: string;
  contact?: string;
  channel?: string;
  media?: string[];
  parties?: Party[];
  /** Fields that the city added to the form. */
  fields?: Record<string, string | number>;
}
export interface Similar {
  code: string;
  class: string;
  state: string;
  distance_m?: number;
  opened: string;
}
export interface Reported {
  id: number | string;
  code: string;
  secret: string;
  state: string;
  cell: { code: string; name: string } | null;
  post: { title: string | Text; worker?: string } | null;
  due: string | null;
  link: string;
  /** A dispute: each side has a word of its own. */
  party_words?: { kind: string; name: string; secret: string }[];
}
export interface RouteStep {
  at: string;
  move: string;
  title?: Text | string;
  from?: string;
  to?: string;
  state?: string;
  actor?: string;
  who?: string | Text;
  role?: string;
  unit?: Partial<Text> | { code: string; name: string | Text } | string | null;
  post?: string | { title?: string; worker?: string | null } | null;
  note?: string | null;
  reason?: string | null;
  photos?: Photo[];
  elapsed?: number | null;
  due?: string | null;
  /** What was asked or given of the clock. */
  until?: string | null;
  days?: number;
  public?: boolean;
}
export interface MoveInput {
  name: string;
  kind: string;
  required?: boolean;
  title?: Text;
  options?: { code?: string; value?: string; title?: Text; name?: Text | string }[] | string[];
  min?: number;
  max?: number;
}
export interface Move {
  name: string;
  title: Text;
  /** The reporter can read what is written with it. */
  public?: boolean;
  inputs?: MoveInput[];
  why_not?: Text | string | null;
}
export interface Case {
  id: number | string;
  code: string;
  version: number;
  class: string;
  class_title?: Text;
  process: string;
  state: string;
  state_title?: Text;
  stage?: string;
  channel?: string;
  lon?: number | null;
  lat?: number | null;
  place?: string | null;
  description?: string | null;
  cell?: { code: string; name: string } | null;
  community?: string | null;
  town?: string | null;
  county?: string | null;
  unit?: { code: string; name: string | Text } | null;
  post?: { id?: number | string; title?: string | Text; worker?: string } | null;
  holder?: string | null;
  handler?: string | null;
  opened: string;
  filed?: string | null;
  dispatched?: string | null;
  handled?: string | null;
  closed?: string | null;
  due?: string | null;
  due_unconfirmed?: boolean;
  light?: Light;
  paused?: Paused | null;
  /** A pause or more time that nobody has answered yet. */
  asked?: { what: 'pause' | 'extend'; by: string; until: string | null; days: number } | null;
  suspensions?: number;
  extensions?: number;
  overdue?: boolean;
  urgent?: boolean;
  private?: boolean;
  released?: boolean;
  photos?: Photo[];
  result?: { note?: string | null; photos?: Photo[] } | null;
  returns?: number;
  reworks?: number;
  escalated?: number | boolean;
  score?: number | null;
  duplicate_of?: string | null;
  /** To the reporter: the public report that it is handled with. */
  joined_to?: { code: string; state_title: Text; due: string | null } | null;
  /** How many different people told of the matter, and what that makes of it. */
  reporters?: number;
  urgency?: { level: number; title: Text } | null;
  settled_in_cell?: boolean;
  route?: RouteStep[];
  parties?: Party[];
  similar?: Similar[];
  moves?: Move[];
}
export interface Followed {
  case: Case;
  route: RouteStep[];
  /** A party sees its own; the reporter those that he named. */
  parties?: Party[];
  moves: (string | Move)[];
  as: 'reporter' | 'party';
}
export interface Account {
  name: string;
  display: string;
  role: string;
  role_title?: Text;
  area?: string | null;
  unit?: string | null;
  grants: string[];
  must_change?: boolean;
}
export interface Unit {
  code: string;
  name: Text | string;
  area?: string;
  duties?: string[];
}
export interface Suggestion {
  units: { code: string; name: Text | string; why?: Text; score?: number }[];
  post?: { id?: number | string; title?: Text | string; worker?: string; why?: Text } | null;
  similar?: Similar[];
}
export interface Counts {
  open: number;
  by_state: Record<string, number>;
  by_light: { green: number; yellow: number; red: number; paused?: number };
  /** Requests about clocks that wait for an answer. */
  asked?: number;
  today: { reported: number; closed: number };
  overdue: number;
  no_post_cells: number;
}
export interface Notice {
  id: number;
  at: string;
  kind: string;
  case?: string;
  text: Text;
  read: boolean;
}
export interface Page<T> {
  items: T[];
  next?: string | null;
}
export interface CaseEvent {
  seq: number;
  code: string;
  class: string;
  state: string;
  light: Light;
  lon?: number | null;
  lat?: number | null;
  cell?: string | null;
  county?: string | null;
  town?: string | null;
  community?: string | null;
  unit?: string | null;
  urgent?: boolean;
  open?: boolean;
  move: string;
  at: string;
}
