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
  const holding =
    (query: typeof db.query): typeof db.query =>
    async (statement) => {
      if (statement.name !== name) return query(statement);
      Object.assign(db, real);
      const answer = await query(statement);
      steps.dispatchEvent(new Event('begun'));
      await released;
      return answer as never;
    };
  db.query = holding((statement) => real.query(statement));
  db.as = (userId) => {
    const person = real.as(userId);
    return { ...person, query: holding((statement) => person.query(statement)) };
  };
  return { begun, release: () => void steps.dispatchEvent(new Event('released')) };
}
