/** Calls to the server. Every failure is a Problem, so that a screen can say what to do next. */

export interface ProblemBody {
  title?: string;
  title_zh?: string;
  status?: number;
  code?: string;
  detail?: string;
  detail_zh?: string;
  pointer?: string;
}

export class Problem extends Error {
  readonly status: number;
  readonly body: ProblemBody;
  constructor(status: number, body: ProblemBody) {
    super(body.detail ?? body.title ?? `status ${status}`);
    this.status = status;
    this.body = body;
  }
  /** No answer came at all: the line is down, or the server is. */
  get offline(): boolean {
    return this.status === 0;
  }
  /** Worth sending the very same request again later. */
  get again(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 409 || this.status >= 500;
  }
}

export function asProblem(e: unknown): Problem {
  return e instanceof Problem ? e : new Problem(0, { title: String(e) });
}

let csrf: string | null = null;
/** The session store tells the token of the current session; null when signed out. */
export function setCsrf(token: string | null): void {
  csrf = token;
}

let whenSignedOut: () => void = () => undefined;
/** Called once a reply says that the session is gone. */
export function onSignedOut(f: () => void): void {
  whenSignedOut = f;
}

/** Random key for one intended write. crypto.randomUUID needs a secure page and Chrome 92; this does not. */
export function newKey(): string {
  const b = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
}

export interface CallOptions {
  body?: unknown;
  form?: FormData;
  ifMatch?: number | string;
  key?: string;
  accept?: string;
  signal?: AbortSignal;
  /** Milliseconds until the call counts as lost. */
  timeout?: number;
}
export interface Reply<T> {
  data: T;
  etag: string | null;
  status: number;
}

export async function request<T>(method: string, path: string, o: CallOptions = {}): Promise<Reply<T>> {
  const headers: Record<string, string> = { Accept: o.accept ?? 'application/json' };
  if (method !== 'GET') {
    if (csrf) headers['X-CSRF-Token'] = csrf;
    if (method === 'POST') headers['Idempotency-Key'] = o.key ?? newKey();
  }
  if (o.ifMatch !== undefined) headers['If-Match'] = `"${o.ifMatch}"`;
  let body: BodyInit | undefined;
  if (o.form) body = o.form;
  else if (o.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(o.body);
  }
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), o.timeout ?? (o.form ? 120_000 : 30_000));
  o.signal?.addEventListener('abort', () => stop.abort());
  let res: Response;
  try {
    res = await fetch(path, { method, headers, body, credentials: 'same-origin', cache: 'no-store', signal: stop.signal });
  } catch {
    throw new Problem(0, { code: 'OFFLINE' });
  } finally {
    clearTimeout(timer);
  }
  const type = res.headers.get('Content-Type') ?? '';
  if (!res.ok) {
    let problem: ProblemBody = {};
    if (type.includes('json')) problem = (await res.json().catch(() => ({}))) as ProblemBody;
    if (res.status === 401 && !path.endsWith('/session')) whenSignedOut();
    throw new Problem(res.status, problem);
  }
  const data = res.status === 204 || !type.includes('json') ? (undefined as T) : ((await res.json()) as T);
  return { data, etag: res.headers.get('ETag'), status: res.status };
}

export async function get<T>(path: string, o?: CallOptions): Promise<T> {
  return (await request<T>('GET', path, o)).data;
}
export async function post<T>(path: string, body?: unknown, o?: CallOptions): Promise<T> {
  return (await request<T>('POST', path, { ...o, body: body ?? {} })).data;
}

/** `/path?a=1`, leaving out empty values. */
export function withQuery(path: string, query: Record<string, string | number | boolean | null | undefined>): string {
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) {
    if (v === undefined || v === null || v === '' || v === false) continue;
    q.set(k, v === true ? '1' : String(v));
  }
  const s = q.toString();
  return s ? `${path}?${s}` : path;
}
