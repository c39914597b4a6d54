import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { journalFor, keepJournal, root, stopLeftBehind } from '../../dev/services/index.ts';
import { type Finding, check } from './checker/index.ts';
import { readStored } from './database.ts';
import { faultNames } from './faults.ts';
import { readHistory, writeHistory } from './recorder.ts';
import { playRound } from './round.ts';
import { type Stage, openStage } from './stage.ts';
import { type Summary, count, nothing, table } from './summary.ts';

// npm run chaos: the large run of the history checker. Rounds follow one another on the same database and nodes, each with
// people and conversations of its own, and at the end everything that stood at the end of a round must still stand.

/** Minutes that a run of the default size may take. */
const longest = 60;
const defaultSends = 500_000;

const help = `npm run chaos -- [--sends ${defaultSends}] [--round 20000] [--seed N]
npm run chaos -- --history FILE

  --sends   acked sends in all
  --round   acked sends of one round, whose history is checked as a whole
  --seed    chooses what everybody does; a finding names the seed
  --history checks once more what a round has kept: for a checker that knows better`;

const say = (line: string) => void process.stdout.write(`${line}\n`);
const began = Date.now();
const seconds = () => (Date.now() - began) / 1_000;
const folder = join(root, '.homing', 'chaos');

const { values } = parseArgs({
  options: {
    sends: { type: 'string', default: String(defaultSends) },
    round: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(began % 1_000_000) },
    history: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  say(help);
  process.exit(0);
}

if (values.history !== undefined) {
  const findings = check(await readHistory(values.history));
  for (const finding of findings) say(inWords(finding));
  say(`${findings.length} findings`);
  process.exit(findings.length > 0 ? 1 : 0);
}

mkdirSync(folder, { recursive: true });
await stopLeftBehind(journalFor(folder));
keepJournal(journalFor(folder));
// Whatever was started is stopped when this process exits.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
process.on('disconnect', () => process.exit(1));
process.channel?.unref();

const stage = await openStage(folder);
try {
  const sum = await run(stage, { sends: Number(values.sends), size: Number(values.round), seed: Number(values.seed) });
  conclude(sum);
} finally {
  await stage.close();
}
process.exit();

interface Run {
  sends: number;
  size: number;
  seed: number;
}

async function run(on: Stage, { sends, size, seed }: Run): Promise<Summary & { rounds: number }> {
  const sum = { ...nothing(), rounds: 0 };
  const stood = new Map<string, string>();
  say(`seed ${seed}: ${sends} acked sends in rounds of ${size}`);
  for (let round = 1; sum.acked < sends; round += 1) {
    const { records } = await playRound(on, { round, seed, sends: size, report: say });
    const findings = check(records);
    count(records, findings, sum);
    sum.rounds = round;
    if (findings.length > 0) await keep(findings, `round-${seed}-${round}`, records);
    const ids = records.flatMap((record) => (record.kind === 'founded' ? [record.conversation] : []));
    for (const [id, print] of await fingerprints(on, ids)) stood.set(id, print);
    say(
      `round ${round}: ${sum.acked} acked, ${findings.length} findings, ${(sum.acked / seconds()).toFixed(0)} a second`,
    );
  }
  const later = await lookAgain(on, stood);
  if (later.length > 0) sum.findings.lost = (sum.findings.lost ?? 0) + later.length;
  for (const id of later) say(`${id} is not what it was at the end of its round`);
  return sum;
}

function inWords({ name, promise, detail }: Finding): string {
  return `${promise} ${name}: ${detail}`;
}

async function keep(
  findings: readonly Finding[],
  name: string,
  records: Parameters<typeof writeHistory>[1],
): Promise<void> {
  for (const finding of findings.slice(0, 20)) say(`  ${inWords(finding)}`);
  await writeHistory(join(folder, `${name}.ndjson`), records);
  say(`  the whole history: ${join(folder, `${name}.ndjson`)}`);
}

async function fingerprints(on: Stage, ids: readonly string[]): Promise<[string, string][]> {
  const stored = await readStored(on.databaseUrl, ids);
  return stored.map((one) => [one.conversation, createHash('sha256').update(JSON.stringify(one)).digest('hex')]);
}

async function lookAgain(on: Stage, stood: ReadonlyMap<string, string>): Promise<string[]> {
  const now = await fingerprints(on, [...stood.keys()]);
  return now.filter(([id, print]) => stood.get(id) !== print).map(([id]) => id);
}

/** What a run must have been for its silence to mean anything. */
function shortcomings({ faults, rounds }: Summary & { rounds: number }): string[] {
  const minutes = seconds() / 60;
  const late = Number(values.sends) === defaultSends && minutes > longest;
  const seldom = faultNames.filter((name) => (faults[name] ?? 0) < rounds);
  return [
    ...seldom.map((name) => `the fault «${name}» struck ${faults[name] ?? 0} times in ${rounds} rounds`),
    ...(late ? [`it took ${minutes.toFixed(1)} minutes, and may take ${longest}`] : []),
  ];
}

function conclude(sum: Summary & { rounds: number }): void {
  const file = join(folder, `chaos-${values.seed}.json`);
  const found = Object.values(sum.findings).reduce((all, times) => all + times, 0);
  writeFileSync(file, JSON.stringify({ seed: Number(values.seed), seconds: seconds(), ...sum }, null, 2));
  say(`\n${table(sum)}\n${'time'.padEnd(36)}${(seconds() / 60).toFixed(1)} minutes\n\n${file}`);
  const missing = shortcomings(sum);
  for (const what of missing) say(`FAILED: ${what}`);
  process.exitCode = found > 0 || missing.length > 0 ? 1 : 0;
}
