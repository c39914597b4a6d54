/**
 * Where the client keeps what must outlive its process: the session, the messages that wait to be sent, and what it
 * holds of conversations. Values are what both `structuredClone` and JSON can copy. A write that resolved is there after
 * a crash.
 */
export interface ClientStorage {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** All of it or nothing, in one go; a value that is undefined deletes. */
  write(changes: readonly Change[]): Promise<void>;
  /** Every entry whose key begins so, in the order of the keys. */
  entries(prefix: string): Promise<[key: string, value: unknown][]>;
}

export type Change = readonly [key: string, value: unknown];
