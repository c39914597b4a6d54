import { once } from 'node:events';
import type { RunningProcess } from '../../roles.ts';

/** A statement of one process that has been answered while its answer is held back: what it read grows old. */
export interface Held {
  /** It has been read. */
  readonly begun: Promise<unknown>;
  release(): void;
}

/** Holds back the answer to the next statement of that name. */
export function holdNext(process: RunningProcess | undefined, name: string): Held {
  if (!process) throw new Error('there is no such process');
  const { db } = process.runtime.deps;
  const real = { ...db };
  const steps = new EventTarget();
  const [begun, released] = [
    once(steps, 'begun', { signal: AbortSignal.timeout(20_000) }),
    once(steps, 'released', { signal: AbortSignal.timeout(20_000) }),
  ];
  db.query = async (statement) => {
    if (statement.name !== name) return real.query(statement);
    Object.assign(db, real);
    const answer = await real.query(statement);
    steps.dispatchEvent(new Event('begun'));
    await released;
    return answer as never;
  };
  return { begun, release: () => void steps.dispatchEvent(new Event('released')) };
}
