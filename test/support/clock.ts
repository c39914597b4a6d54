import type { TestApp } from '../setup/app.ts';

/** Milliseconds of one code of an authenticator app. */
const stepMs = 30_000;

/**
 * The clock of a deployment's own decisions, which stands still until a test moves it: in the middle of the thirty
 * seconds of a code, so that none ends while it is on its way.
 */
export function clockOf(app: Pick<TestApp, 'processes'>) {
  let at = Math.floor(Date.now() / stepMs) * stepMs + stepMs / 2;
  for (const { runtime } of app.processes) runtime.deps.now = () => new Date(at);
  return {
    now: () => at,
    pass: (ms: number) => void (at += ms),
  };
}
export type Clock = ReturnType<typeof clockOf>;
