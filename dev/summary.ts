import { relative } from 'node:path';
import { stepsInWords } from './ladder.ts';
import type { Arrival, RunFile } from './run-file.ts';
import { withoutPassword } from './services/given.ts';

/** The block that npm start ends with: what is where, and what to try first. `state` is the folder that was asked for. */
export function summary(run: RunFile, seconds: number, state?: string): string {
  const rows: [string, string | undefined][] = [
    ['REST, sockets', run.api],
    ['API pages', run.api && `${run.api}/docs`],
    ['Provider inbox', run.sandbox && `${run.sandbox}/`],
    ['Sign-in pages', run.sandbox && `${run.sandbox}/identity/`],
    ['Temporal', arrival(run.temporal, run.temporalUi ?? run.temporalAddress, 'escalation waits in the outbox')],
    ['Elasticsearch', run.elasticsearch && arrival(run.search, run.elasticsearch, 'search waits for it')],
    ['PostgreSQL', run.postgres && withoutPassword(run.postgres)],
    ['Redis', run.redis && withoutPassword(run.redis)],
    ['S3', arrival(run.objectStore, run.s3, 'files wait for it')],
    ['Metrics', run.metrics],
    ['Logs', run.logs && relative(process.cwd(), run.logs)],
  ];
  const demo = demoCommand(state);
  return `
Homing is up after ${seconds.toFixed(1)} s.

${table(rows)}

Try first
  ${demo.padEnd(21)}   three people, a message that one does not read, and what becomes of it
  ${run.sandbox}/   what arrived at phones and mailboxes
  ${run.api}/docs   every call, with a form to try it

${run.ladder ? `The ladder here: ${stepsInWords(run.ladder)}, until the message is read.\n` : ''}Ctrl-C stops everything.
`;
}

/** The demo finds this run only where it is told of the same folder. */
function demoCommand(state: string | undefined): string {
  if (state === undefined) return 'npm run demo';
  return `npm run demo -- --state ${/^[\w./-]+$/.test(state) ? state : JSON.stringify(state)}`;
}

function arrival(how: Arrival | undefined, address: string | undefined, meanwhile: string): string | undefined {
  if (how === 'up') return address;
  const what =
    how === 'missing' ? 'not running: messages are served' : 'being made ready: messages are served meanwhile';
  return `${what}, ${meanwhile}`;
}

/** The second block, for a Temporal that came after the rest. */
export function temporalArrived(run: RunFile, seconds: number): string {
  return `
Temporal is up after ${seconds.toFixed(1)} s: what was owed is being delivered.
${table([
  ['Temporal UI', run.temporalUi],
  ['Temporal', run.temporalAddress],
])}
`;
}

function table(rows: readonly [string, string | undefined][]): string {
  return rows.flatMap(([name, value]) => (value ? [`  ${name.padEnd(16)}${value}`] : [])).join('\n');
}
