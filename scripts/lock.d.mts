/** A process, told from a later one with the same pid by when it started. */
export interface Holder {
  pid: number;
  started?: string | undefined;
}

export function startedAt(pid: number): string | undefined;
export function isAlive(holder: Holder | undefined): boolean;
export function withLock<T>(
  file: string,
  work: () => Promise<T>,
  options?: { waiting?: (pid: number) => void; signal?: AbortSignal | undefined },
): Promise<T>;
