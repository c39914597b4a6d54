import { HomingError } from '../errors.ts';
import type { ClientStorage } from './storage.ts';

/** What is used of IndexedDB; a browser's `indexedDB` fits. */
export interface IndexedDb {
  open(name: string, version: number): OpenRequest;
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
  objectStore(name: string): ObjectStore;
}
interface ObjectStore {
  get(key: string): Request<unknown>;
  put(value: unknown, key: string): Request<unknown>;
  delete(key: string): Request<unknown>;
  getAll(): Request<unknown[]>;
  getAllKeys(): Request<unknown[]>;
}

export interface IndexedDbOptions {
  /** The database's name: one for each account that may be signed in beside another. */
  name?: string;
  indexedDB?: IndexedDb;
}

const storeName = 'entries';

/** Keeps everything in one object store of the browser's IndexedDB. */
export function indexedDbStorage({ name = 'homing', indexedDB = ofThisPage() }: IndexedDbOptions = {}): ClientStorage {
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
  const write = async (use: (store: ObjectStore) => Request<unknown>): Promise<void> =>
    void (await run(await database(), 'readwrite', use));

  return {
    get: (key) => read((store) => store.get(key)),
    set: (key, value) => write((store) => store.put(value, key)),
    delete: (key) => write((store) => store.delete(key)),
    async entries(prefix) {
      // All of them, for there are few: the queue is bounded. Keys and values come in the same order.
      let keys: Request<unknown[]> | undefined;
      const values = await read((store) => {
        keys = store.getAllKeys();
        return store.getAll();
      });
      return values
        .map((value, index): [string, unknown] => [String(keys?.result[index]), value])
        .filter(([key]) => key.startsWith(prefix));
    },
  };
}

function ofThisPage(): IndexedDb {
  const { indexedDB } = globalThis as { indexedDB?: IndexedDb };
  if (!indexedDB) throw new HomingError('storage_failed', { message: 'There is no IndexedDB here.' });
  return indexedDB;
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
  use: (store: ObjectStore) => Request<Result>,
): Promise<Request<Result>> {
  const { promise, resolve, reject } = Promise.withResolvers<Request<Result>>();
  try {
    const transaction = database.transaction(storeName, mode, { durability: 'strict' });
    const request = use(transaction.objectStore(storeName));
    transaction.addEventListener('complete', () => resolve(request));
    transaction.addEventListener('error', () => reject(failed(transaction.error)));
    transaction.addEventListener('abort', () => reject(failed(transaction.error)));
  } catch (error) {
    // What structured cloning cannot copy, or a database that is being closed.
    reject(failed(error));
  }
  return promise;
}

const failed = (cause: unknown) => new HomingError('storage_failed', { cause });
