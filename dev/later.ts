import type { Arrival, RunFile } from './run-file.ts';
import type { Report } from './services/index.ts';
import * as stackParts from './stack.ts';

/** run.json, and what it says by now. */
export interface Recorder {
  write(more: Partial<RunFile>): void;
  now(): RunFile;
}

/** What chat does without, under the name that the person reads and the field of run.json that tells how far it is. */
const fields = { temporal: 'temporal', s3: 'objectStore', elasticsearch: 'search' } as const;
type Name = keyof typeof fields;

/**
 * Brings up, beside everything else, what may have to be built or fetched for minutes. The promises resolve when the service
 * is up or known to be missing, and never reject: its absence is told and lived with.
 */
export function bringLater(stack: stackParts.Stack, run: Recorder, withElasticsearch: boolean) {
  const bring = (name: Name, start: () => Promise<void>) => arrive(stack, run, name, start);
  const temporal = bring('temporal', () => stackParts.startTemporal(stack));
  const s3 = bring('s3', () => stackParts.startS3(stack, temporal));
  const search = withElasticsearch && bring('elasticsearch', () => stackParts.startElasticsearch(stack));
  return { temporal, all: Promise.all([temporal, s3, search]) };
}

async function arrive(
  { context, supervisor }: stackParts.Stack,
  run: Recorder,
  name: Name,
  start: () => Promise<void>,
): Promise<void> {
  const write = (arrival: Arrival) => run.write({ [fields[name]]: arrival, pids: supervisor.pids() });
  write('coming');
  try {
    await timed(context.report, name, start);
    write('up');
  } catch (error) {
    if (supervisor.signal.aborted) return;
    write('missing');
    context.report(`${name}: ${(error as Error).message}`);
  }
}

/** Does the work and says how long it took. */
export async function timed<T>(report: Report, name: string, work: () => Promise<T>): Promise<T> {
  const from = Date.now();
  const result = await work();
  report(`${name.padEnd(14)} up (${((Date.now() - from) / 1000).toFixed(1)} s)`);
  return result;
}
