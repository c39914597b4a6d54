import { HomingError } from '../errors.ts';
import type { Change, ClientStorage } from './storage.ts';

/** What is used of IndexedDB; a browser's `indexedDB` fits. */
export interface IndexedDb {
  open(name: string, version: number): OpenRequest;
}
/** A browser's `IDBKeyRange` fits. */
export interface KeyRanges {
  bound(lower: string, upper: string): unknown;
}
interface Target<Event extends string> {
  addEventListener(type: Event, listener: () => void): void;
}
interface Request<Result> extends Target<'success' | 'error'> {
  readonly result: Result;
  readonly error: unknown;
}
interface OpenRequest extends Request<Database> {
  addEventListener(type: 'success' | 'error' | 'upgradeneeded', listener: () => void): void;
}
interface Database extends Target<'close' | 'versionchange'> {
  createObjectStore(name: string): unknown;
  transaction(stores: string, mode: 'readonly' | 'readwrite', options: { durability: 'strict' }): Transaction;
  close(): void;
}
interface Transaction extends Target<'complete' | 'abort' | 'error'> {
  readonly error: unknown;
  abort(): void;
  objectStore(name: string): ObjectStore;
}
interface ObjectStore {
  get(key: string): Request<unknown>;
  put(value: unknown, key: string): Request<unknown>;
  delete(key: string): Request<unknown>;
  getAll(range: unknown): Request<unknown[]>;
  getAllKeys(range: unknown): Request<unknown[]>;
}

export interface IndexedDbOptions {
  /** The database's name: one for each account that may be signed in beside another. */
  name?: string;
  indexedDB?: IndexedDb;
  IDBKeyRange?: KeyRanges;
}

const storeName = 'entries';

/** Keeps everything in one object store of the browser's IndexedDB. */
export function indexedDbStorage({
  name = 'homing',
  indexedDB = ofThisPage('indexedDB'),
  IDBKeyRange = ofThisPage('IDBKeyRange'),
}: IndexedDbOptions = {}): ClientStorage {
  let opened: Promise<Database> | undefined;
  const forget = () => {
    opened = undefined;
  };
  /** Opened once; again after a failure, and after the browser closed it to free memory or for another tab. */
  const database = () => {
    opened ??= open(indexedDB, name, forget).catch((error: unknown) => {
      forget();
      throw error instanceof HomingError ? error : failed(error);
    });
    return opened;
  };
  const read = async <Result>(use: (store: ObjectStore) => Request<Result>): Promise<Result> =>
    (await run(await database(), 'readonly', use)).result;
  const write = async (changes: readonly Change[]): Promise<void> =>
    void (await run(await database(), 'readwrite', (store) => {
      for (const [key, value] of changes) {
        if (value === undefined) store.delete(key);
        else store.put(value, key);
      }
    }));

  return {
    get: (key) => read((store) => store.get(key)),
    set: (key, value) => write([[key, value]]),
    delete: (key) => write([[key, undefined]]),
    write,
    async entries(prefix) {
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      // Keys and values come in the same order.
      let keys: Request<unknown[]> | undefined;
      const values = await read((store) => {
        keys = store.getAllKeys(range);
        return store.getAll(range);
      });
      return values.map((value, index) => [String(keys?.result[index]), value]);
    },
  };
}

interface Page {
  indexedDB: IndexedDb;
  IDBKeyRange: KeyRanges;
}

function ofThisPage<Name extends keyof Page>(name: Name): Page[Name] {
  const found = (globalThis as Partial<Page>)[name];
  if (!found) throw new HomingError('storage_failed', { message: 'There is no IndexedDB here.' });
  return found;
}

function open(indexedDB: IndexedDb, name: string, gone: () => void): Promise<Database> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.addEventListener('upgradeneeded', () => void request.result.createObjectStore(storeName));
    request.addEventListener('error', () => reject(failed(request.error)));
    request.addEventListener('success', () => {
      const database = request.result;
      database.addEventListener('close', gone);
      database.addEventListener('versionchange', () => {
        database.close();
        gone();
      });
      resolve(database);
    });
  });
}

/** Resolves when the whole transaction is done, and not with the request: only then it is kept. */
function run<Result>(
  database: Database,
  mode: 'readonly' | 'readwrite',
  use: (store: ObjectStore) => Result,
): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  let transaction: Transaction | undefined;
  try {
    transaction = database.transaction(storeName, mode, { durability: 'strict' });
    for (const end of ['error', 'abort'] as const) {
      transaction.addEventListener(end, () => reject(failed(transaction?.error)));
    }
    const result = use(transaction.objectStore(storeName));
    transaction.addEventListener('complete', () => resolve(result));
  } catch (error) {
    // What structured cloning cannot copy, or a database that is being closed: nothing of it is kept.
    reject(failed(error));
    transaction?.abort();
  }
  return promise;
}

const failed = (cause: unknown) => new HomingError('storage_failed', { cause });
