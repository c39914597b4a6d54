import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the clone. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** A line for the person at the terminal. */
export type Report = (line: string) => void;

/** What every step of finding or starting may use. All of it has a default; tests give their own. */
export interface Context {
  /** Environment that addresses, PATH, JAVA_HOME and HOMING_CACHE are read from. */
  env: NodeJS.ProcessEnv;
  report: Report;
  /** Aborted when everything is to stop: downloads, builds and starts end at once. */
  signal: AbortSignal | undefined;
}

/** The parts of a context that a caller wishes to set. */
export type Options = Partial<Context>;

/** Fills in the defaults: our own environment, and silence. */
export function contextOf(options: Options = {}): Context {
  return { env: options.env ?? process.env, report: options.report ?? (() => {}), signal: options.signal };
}

/** Folder of what was fetched or built; several clones may share one by naming it in HOMING_CACHE. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return resolve(root, env.HOMING_CACHE || join('.homing', 'cache'));
}

/** A short name for a path, to tell two clones on one machine apart. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
