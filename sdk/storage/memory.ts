import type { ClientStorage } from './storage.ts';

/** Keeps nothing beyond the process: for tests, and for bots that sign in anew. */
export function memoryStorage(): ClientStorage {
  const values = new Map<string, unknown>();
  const write: ClientStorage['write'] = async (changes) => {
    for (const [key, value] of structuredClone(changes)) {
      if (value === undefined) values.delete(key);
      else values.set(key, value);
    }
  };
  return {
    get: async (key) => structuredClone(values.get(key)),
    set: (key, value) => write([[key, value]]),
    delete: (key) => write([[key, undefined]]),
    write,
    entries: async (prefix) =>
      [...values]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => [key, structuredClone(value)]),
  };
}
