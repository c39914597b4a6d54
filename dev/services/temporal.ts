import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Context, contextOf, type Options } from './context.ts';
import { findProgram, isAtLeast, versionOf } from './find.ts';
import { goBuild } from './go.ts';
import { obtain, type Program, vendorRelease } from './obtain.ts';
import { pins } from './pins.ts';
import { plainEnv, type Running, startProcess } from './process.ts';

const { releases, version } = pins.temporal;
const moduleFolder = fileURLToPath(new URL('./temporal-cli', import.meta.url));

/** From this version on the command line's server knows the flags used below and Update-with-Start. */
const leastVersion = [1, 3];

/** Finds Temporal's command line, which holds the development server and the UI. */
export async function obtainTemporal(options: Options = {}): Promise<Program> {
  return obtain(
    {
      name: 'Temporal',
      entry: `temporal-${version}`,
      binary: 'temporal',
      onMachine: temporalOnMachine,
      ways: [vendorRelease(releases, 0), { name: 'source, by Go', fill: build }],
      remedy: `put the program temporal ${version} on PATH (brew install temporal), or set TEMPORAL_ADDRESS to a server`,
    },
    contextOf(options),
  );
}

async function temporalOnMachine(context: Context): Promise<string | undefined> {
  const found = findProgram('temporal', context);
  return found && isAtLeast(await versionOf(found, context), leastVersion) ? found : undefined;
}

async function build(folder: string, context: Context): Promise<void> {
  const source = join(folder, 'source');
  await cp(moduleFolder, source, { recursive: true });
  const args = ['-mod=readonly', '-o', join(folder, 'temporal'), 'github.com/temporalio/cli/cmd/temporal'];
  await goBuild(`Temporal ${version}`, 'build', args, { cwd: source, packagesAbout: 1_700 }, context);
}

export interface TemporalStart extends Options {
  program: Program;
  port: number;
  logFile: string;
  /** SQLite file that keeps everything over a restart, about a tenth as fast. In memory when left out. */
  databaseFile?: string;
  /** Port of the UI; without UI when left out. */
  uiPort?: number | undefined;
  /** Address of the codec server that the UI shows payloads with. */
  uiCodecEndpoint?: string | undefined;
  /** Made at start. Default: `default`. */
  namespaces?: readonly string[];
  /** Registered at start, such as { Outcome: 'Keyword' }. */
  searchAttributes?: Readonly<Record<string, string>>;
  /** Server settings, such as { 'frontend.workerHeartbeatsEnabled': true }. */
  dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
}

/** A running Temporal development server. */
export interface RunningTemporal extends Running {
  /** host:port */
  address: string;
  uiUrl: string | undefined;
}

/** Starts the development server on 127.0.0.1, and resolves when it answers for each of its namespaces. */
export async function startTemporal(options: TemporalStart): Promise<RunningTemporal> {
  const { program, port, uiPort, logFile } = options;
  const { env, signal } = contextOf(options);
  const namespaces = options.namespaces ?? ['default'];
  const address = `127.0.0.1:${port}`;
  if (options.databaseFile) await mkdir(dirname(options.databaseFile), { recursive: true });
  const running = await startProcess({
    name: 'temporal',
    command: program.path,
    args: argumentsOf(options, namespaces),
    env: plainEnv(env),
    logFile,
    answers: () => reachTemporal(address, namespaces),
    answersWithinMs: 60_000,
    signal,
  });
  return { ...running, address, uiUrl: uiPort ? `http://127.0.0.1:${uiPort}` : undefined };
}

function argumentsOf(options: TemporalStart, namespaces: readonly string[]): string[] {
  const { databaseFile, uiPort, uiCodecEndpoint, searchAttributes = {} } = options;
  // Off by default: a backlog is worked off conversation by conversation in turn, as episodes are started with.
  const dynamicConfig = { 'matching.enableFairness': true, ...options.dynamicConfig };
  const each = (flag: string, values: readonly string[]) => values.flatMap((value) => [flag, value]);
  // The file is a developer's: losing the last moment at a power cut is a fair price for not waiting for the disk.
  const pragmas = each('--sqlite-pragma', ['journal_mode=WAL', 'synchronous=OFF']);
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(options.port)],
    ...['--log-format', 'json', '--log-level', 'warn'],
    ...(uiPort ? ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)] : ['--headless']),
    ...(uiCodecEndpoint ? ['--ui-codec-endpoint', uiCodecEndpoint] : []),
    ...(databaseFile ? ['--db-filename', databaseFile, ...pragmas] : []),
    ...each('--namespace', namespaces),
    ...each(
      '--search-attribute',
      Object.entries(searchAttributes).map(([name, type]) => `${name}=${type}`),
    ),
    ...each(
      '--dynamic-config-value',
      Object.entries(dynamicConfig).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
    ),
  ];
}

/** Resolves when a Temporal frontend answers at the address and knows the namespaces. */
export async function reachTemporal(address: string, namespaces: readonly string[] = []): Promise<void> {
  const { Connection } = await import('@temporalio/client');
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    await Promise.all(namespaces.map((namespace) => connection.workflowService.describeNamespace({ namespace })));
  } finally {
    await connection.close();
  }
}
