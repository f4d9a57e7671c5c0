/** A key-value view of IndexedDB. Where the browser gives none (private windows), memory serves for the length of the visit. */

const NAME = 'gezhi';
const STORES = ['kv', 'outbox'] as const;
export type StoreName = (typeof STORES)[number];

const memory: Record<StoreName, Map<string, unknown>> = { kv: new Map(), outbox: new Map() };
let opened: Promise<IDBDatabase | null> | null = null;

function open(): Promise<IDBDatabase | null> {
  opened ??= new Promise((resolve) => {
    if (typeof indexedDB === 'undefined') return resolve(null);
    try {
      const r = indexedDB.open(NAME, 1);
      r.onupgradeneeded = () => {
        for (const s of STORES) if (!r.result.objectStoreNames.contains(s)) r.result.createObjectStore(s);
      };
      r.onsuccess = () => {
        r.result.onversionchange = () => {
          r.result.close();
          opened = null;
        };
        resolve(r.result);
      };
      r.onerror = () => resolve(null);
      r.onblocked = () => resolve(null);
    } catch {
      resolve(null);
    }
  });
  return opened;
}

async function run<T>(store: StoreName, mode: IDBTransactionMode, f: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open();
  if (!db) throw new Error('no IndexedDB');
  return new Promise<T>((resolve, reject) => {
    const tx = db.transaction(store, mode);
    const r = f(tx.objectStore(store));
    // A write counts once the transaction is complete, not once the request is.
    tx.oncomplete = () => resolve(r.result);
    tx.onerror = () => reject(tx.error ?? new Error('IndexedDB'));
    tx.onabort = () => reject(tx.error ?? new Error('IndexedDB'));
  });
}

export async function idbGet<T>(store: StoreName, key: string): Promise<T | undefined> {
  try {
    return (await run(store, 'readonly', (s) => s.get(key))) as T | undefined;
  } catch {
    return memory[store].get(key) as T | undefined;
  }
}
/** True when the value outlives this visit. */
export async function idbSet(store: StoreName, key: string, value: unknown): Promise<boolean> {
  try {
    await run(store, 'readwrite', (s) => s.put(value, key));
    return true;
  } catch {
    memory[store].set(key, value);
    return false;
  }
}
export async function idbDel(store: StoreName, key: string): Promise<void> {
  memory[store].delete(key);
  try {
    await run(store, 'readwrite', (s) => s.delete(key));
  } catch {
    return;
  }
}
export async function idbAll<T>(store: StoreName): Promise<T[]> {
  const kept = Array.from(memory[store].values()) as T[];
  try {
    return ((await run(store, 'readonly', (s) => s.getAll())) as T[]).concat(kept);
  } catch {
    return kept;
  }
}
