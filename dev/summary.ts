import { relative } from 'node:path';
import type { RunFile } from './run-file.ts';
import { withoutPassword } from './services/given.ts';

/** The block that npm start ends with: what is where, and what to try first. */
export function summary(run: RunFile, seconds: number): string {
  const temporal = {
    coming: 'being made ready: messages are served meanwhile, escalation waits in the outbox',
    missing: 'not running: messages are served, escalation waits in the outbox',
    up: run.temporalUi ?? run.temporalAddress ?? '',
  }[run.temporal ?? 'coming'];
  const rows: [string, string | undefined][] = [
    ['REST, sockets', run.api],
    ['API pages', run.api && `${run.api}/docs`],
    ['Provider inbox', run.sandbox && `${run.sandbox}/`],
    ['Temporal', temporal],
    ['Elasticsearch', run.elasticsearch],
    ['PostgreSQL', run.postgres && withoutPassword(run.postgres)],
    ['Redis', run.redis && withoutPassword(run.redis)],
    ['S3', run.s3],
    ['Metrics', run.metrics],
    ['Logs', run.logs && relative(process.cwd(), run.logs)],
  ];
  return `
Homing is up after ${seconds.toFixed(1)} s.

${table(rows)}

Try first
  npm run demo          three people, a message that one does not read, and what becomes of it
  ${run.sandbox}/   what arrived at phones and mailboxes
  ${run.api}/docs   every call, with a form to try it

Here the ladder is fast: push after 1.5 s, mail after 20 s, SMS after 40 s, until the message is read.
Ctrl-C stops everything.
`;
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
