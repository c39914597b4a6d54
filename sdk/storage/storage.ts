/**
 * Where the client keeps what must outlive its process: the session and the messages that wait to be sent. Values are
 * what `structuredClone` can copy. A write that resolved is there after a crash.
 */
export interface ClientStorage {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Every entry whose key begins so, in the order of the keys. */
  entries(prefix: string): Promise<[key: string, value: unknown][]>;
}
