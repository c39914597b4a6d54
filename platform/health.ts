import type { Readiness } from '../contracts/rest/about.ts';

/** Milliseconds that one look at a dependency may take. */
const lookMs = 2_000;

/** A part that this process talks to, and how to see that it answers. */
export interface Dependency {
  name: string;
  /** Whether the process can serve at all without it. */
  needed: boolean;
  check: () => Promise<unknown>;
}

/** Milliseconds for which an answer is good: anybody may ask, and a thousand askers must not be a thousand looks. */
const goodForMs = 1_000;

/** Looks at every dependency. Ready means: all that are needed answer, and the process is not stopping. */
export function createReadiness(
  dependencies: readonly Dependency[],
  stopping: () => boolean,
): () => Promise<Readiness> {
  let last: { at: number; answer: Promise<Readiness> } | undefined;
  return async () => {
    const stale = !last || Date.now() - last.at > goodForMs || stopping();
    if (stale) last = { at: Date.now(), answer: look(dependencies, stopping) };
    return (last as NonNullable<typeof last>).answer;
  };
}

async function look(dependencies: readonly Dependency[], stopping: () => boolean): Promise<Readiness> {
  const looked = await Promise.all(
    dependencies.map(async ({ name, needed, check }) => ({
      name,
      needed,
      state: (await answers(check)) ? ('up' as const) : ('down' as const),
    })),
  );
  return { ready: !stopping() && looked.every(({ needed, state }) => !needed || state === 'up'), dependencies: looked };
}

async function answers(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), lookMs);
  });
  try {
    return await Promise.race([check().then(() => true), limit]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
