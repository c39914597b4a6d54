import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { portNames } from '../../dev/choose-ports.ts';
import type { RunFile } from '../../dev/run-file.ts';
import { cacheFolder, root } from '../../dev/services/context.ts';
import { freePorts } from '../../dev/services/index.ts';
import { isRunning, tempFolder, until } from './support.ts';

export interface Started {
  child: ChildProcess;
  said: () => string;
  /** Resolves when it has ended and nobody holds its output any more. */
  ended: Promise<unknown[]>;
  /** Resolves when it has said so. */
  saying: (words: string) => Promise<void>;
  /** Resolves when it is up. */
  up: () => Promise<void>;
}

/** What the tests' own environment must not tell a program of ours that they start. */
export function plainEnv(): NodeJS.ProcessEnv {
  const { DATABASE_URL: _1, REDIS_URL: _2, TEMPORAL_ADDRESS: _3, S3_ENDPOINT: _4, ...kept } = process.env;
  // What the runner tells the tests must not make this one believe that it is a test.
  return { ...kept, HOMING_TEST_SERVICES: '', HOMING_CACHE: cacheFolder(process.env) };
}

/** A state folder whose ports are not the usual ones: several starts of this machine would take them from one another. */
export async function stateOfOwnPorts(): Promise<string> {
  const state = tempFolder();
  const wanted = Object.fromEntries(portNames.map((name) => [name, undefined]));
  writeFileSync(join(state, 'ports.json'), JSON.stringify(await freePorts(wanted)));
  return state;
}

/** One of the programs in dev/, as its npm script runs it. */
export function runDev(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(process.execPath, [join(root, 'dev', script), ...args], {
    env: { ...plainEnv(), ...env },
    cwd: root,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const saying = async (words: string) => {
    await until(() => said.includes(words) || child.exitCode !== null);
    assert.equal(child.exitCode, null, said);
  };
  const up = () => saying('Ctrl-C stops everything');
  return { child, said: () => said, ended: once(child, 'close'), saying, up };
}

export function readRunFile(state: string): RunFile {
  return JSON.parse(readFileSync(join(state, 'run.json'), 'utf8')) as RunFile;
}

/** Which of its processes live. */
export function alive(pids: Iterable<number>): number[] {
  return [...pids].filter(isRunning);
}
