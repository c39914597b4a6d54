import { join, resolve } from 'node:path';
import { choosePorts } from './choose-ports.ts';
import { parseStartFlags, type StartFlags, startHelp, UsageError } from './flags.ts';
import { stepsOf } from './ladder.ts';
import { bringLater, type Recorder, timed } from './later.ts';
import { type Addresses, apiUrl, ladderOf, metricsUrl, roleNames, rolePart, sandboxPart, sandboxUrl } from './roles.ts';
import { AlreadyRunning, type Claim, claimRun, type RunFile } from './run-file.ts';
import { keepSecrets } from './secrets.ts';
import { givenServices } from './services/given.ts';
import { contextOf, journalFor, keepJournal, root } from './services/index.ts';
import * as stackParts from './stack.ts';
import { summary, temporalArrived } from './summary.ts';
import { Supervisor } from './supervisor.ts';
import { whenUnread } from './terminal.ts';

// npm start: brings up everything, says where it is, and keeps it up until it is told to stop.

const began = Date.now();
const seconds = () => (Date.now() - began) / 1000;
const print = (text: string) => void process.stdout.write(`${text}\n`);
const report = (line: string) => print(`${`${seconds().toFixed(1)}`.padStart(6)} s  ${line}`);

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const flags = parseStartFlags(process.argv.slice(2));
    if (flags.help) {
      print(startHelp);
      return 0;
    }
    const state = resolve(root, flags.state ?? '.homing');
    const claim = await claimRun(state);
    keepJournal(journalFor(state));
    if (claim.stopped.length > 0) report(`stopped what a killed run had left behind: ${claim.stopped.join(', ')}`);
    return await runUntilStopped(state, flags, claim);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof AlreadyRunning)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function runUntilStopped(state: string, flags: StartFlags, claim: Claim): Promise<number> {
  const supervisor = new Supervisor(report);
  const asked = new Promise<string>((stop) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal));
    whenUnread(() => stop('nobody reads this'));
    // The bootstrap holds the other end: losing it means that it was killed.
    process.on('disconnect', () => stop('the terminal is gone'));
    process.channel?.unref();
  });
  const failed = bringUp(state, flags, claim, supervisor).then(
    () => new Promise<never>(() => {}),
    (error: Error) => error,
  );
  // Nothing else holds the event loop while a given service is all that there is.
  const awake = setInterval(() => claim.write({ pids: supervisor.pids() }), 5_000);
  const why = await Promise.race([asked, failed]);
  clearInterval(awake);
  if (why instanceof Error) process.stderr.write(`\nCould not start: ${why.message}\n`);
  else print(`\nStopping (${why}) …`);
  const stopping = Date.now();
  await supervisor.stop();
  claim.release();
  print(`Everything is stopped, after ${((Date.now() - stopping) / 1000).toFixed(1)} s.`);
  return why instanceof Error ? 1 : 0;
}

async function bringUp(state: string, flags: StartFlags, claim: Claim, supervisor: Supervisor): Promise<void> {
  const context = { ...contextOf({ report }), signal: supervisor.signal };
  if (flags.fresh) stackParts.wipeData({ state });
  const given = givenServices(process.env);
  const { ports, notes } = await choosePorts(state, flags.port);
  notes.forEach(report);
  const stack: stackParts.Stack = { state, ports, given, supervisor, context, secrets: keepSecrets(state) };
  const run = recorder(claim, { ...known(stack, flags), logs: join(state, 'logs') });

  // Beside everything else: chat does not wait for what may have to be built for minutes.
  const later = bringLater(stack, run, flags.elasticsearch);
  const addresses = await bringServices(stack, flags);
  run.write({
    postgres: addresses.database.appUrl,
    postgresOwner: addresses.database.ownerUrl,
    redis: addresses.redisUrl,
  });
  const roles = roleNames.map((name) => timed(report, name, () => supervisor.run(rolePart(stack, name, addresses))));
  await Promise.all(roles);
  run.write({ state: 'up', pids: supervisor.pids() });
  print(summary(run.now(), seconds(), flags.state));
  if (run.now().temporal === 'coming') {
    await later.temporal;
    if (run.now().temporal === 'up') print(temporalArrived(run.now(), seconds()));
  }
  await later.all;
}

async function bringServices(stack: stackParts.Stack, flags: StartFlags): Promise<Addresses> {
  const [database, redisUrl] = await Promise.all([
    timed(report, 'postgres', () => stackParts.startDatabase(stack)),
    timed(report, 'redis', () => stackParts.startRedis(stack)),
    timed(report, 'sandbox', () => stack.supervisor.run(sandboxPart(stack))),
  ]);
  return { database, redisUrl, withElasticsearch: flags.elasticsearch || Boolean(stack.given.elasticsearchUrl) };
}

function known(stack: stackParts.Stack, flags: StartFlags): Partial<RunFile> {
  const ownUi = stack.given.temporalAddress ? {} : { temporalUi: `http://127.0.0.1:${stack.ports.temporalUi}` };
  const ladder = stepsOf(ladderOf(stack));
  return {
    api: apiUrl(stack),
    sandbox: sandboxUrl(stack),
    metrics: metricsUrl(stack, 'api'),
    metricsByRole: Object.fromEntries(roleNames.map((name) => [name, metricsUrl(stack, name)])),
    temporalAddress: stackParts.temporalAddress(stack),
    ...ownUi,
    s3: stackParts.s3Access(stack).endpoint,
    ...(flags.elasticsearch ? { elasticsearch: stackParts.elasticsearchUrl(stack) } : {}),
    ...(ladder ? { ladder } : {}),
  };
}

function recorder(claim: Claim, first: Partial<RunFile>): Recorder {
  let run = first;
  const write = (more: Partial<RunFile>) => {
    run = { ...run, ...more };
    claim.write(run);
  };
  write({});
  return { write, now: () => run as RunFile };
}
