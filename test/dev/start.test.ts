import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFile } from '../../dev/run-file.ts';
import { cacheFolder, root } from '../../dev/services/context.ts';
import { leftBehind, journalFor } from '../../dev/services/index.ts';
import { isRunning, removeTempFolders, tempFolder, until } from './support.ts';

describe('npm start', function () {
  this.timeout(180_000);
  let state: string;
  const started: ChildProcess[] = [];

  before(() => {
    state = tempFolder();
  });
  after(() => {
    for (const child of started) child.kill('SIGKILL');
    removeTempFolders();
  });

  interface Started {
    child: ChildProcess;
    said: () => string;
    ended: Promise<unknown[]>;
  }
  const start = (...args: string[]): Started => {
    const { DATABASE_URL: _1, REDIS_URL: _2, TEMPORAL_ADDRESS: _3, S3_ENDPOINT: _4, ...kept } = process.env;
    // What the runner tells the tests must not make this one believe that it is a test.
    const env = { ...kept, HOMING_TEST_SERVICES: '', HOMING_CACHE: cacheFolder(process.env) };
    const child = spawn(process.execPath, [join(root, 'dev', 'start.ts'), '--state', state, ...args], {
      env,
      cwd: root,
    });
    started.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
    return { child, said: () => said, ended: once(child, 'close') };
  };
  const up = async (one: Started) => {
    await until(() => one.said().includes('Ctrl-C stops everything') || one.child.exitCode !== null);
    assert.equal(one.child.exitCode, null, one.said());
  };
  const runFile = () => JSON.parse(readFileSync(join(state, 'run.json'), 'utf8')) as RunFile;
  const pids = () => Object.values(runFile().pids ?? {});
  const running = (all: number[]) => all.filter(isRunning);

  it('refuses a flag that it does not know, and starts nothing', async () => {
    const one = start('--frehs');
    assert.deepEqual(await one.ended, [2, null]);
    assert.match(one.said(), /--frehs[^]*--fresh/);
    assert.equal(existsSync(join(state, 'run.json')), false);
  });

  it('leaves nothing behind when it is told to stop while it starts', async () => {
    const one = start();
    await until(() => leftBehind(journalFor(state)).length >= 2);
    one.child.kill('SIGTERM');
    assert.deepEqual(await one.ended, [0, null], one.said());
    assert.deepEqual(leftBehind(journalFor(state)), []);
    assert.equal(existsSync(join(state, 'run.json')), false);
  });

  it('brings up everything, writes where it is, refuses a second, mends after a kill, and stops whole', async () => {
    const first = start();
    await up(first);
    const { api, sandbox, metricsByRole = {} } = runFile();
    for (const url of [`${api}/readyz`, `${sandbox}/healthz`, ...Object.values(metricsByRole)]) {
      assert.equal((await fetch(url)).status, 200, url);
    }
    assert.equal(statSync(join(state, 'secrets.json')).mode & 0o777, 0o600);

    const second = start();
    assert.deepEqual(await second.ended, [1, null]);
    assert.match(second.said(), new RegExp(`running already \\(pid ${first.child.pid}[^]*${api}`));

    const orphans = pids();
    first.child.kill('SIGKILL');
    await first.ended;
    assert.ok(running(orphans).length > 0);

    const third = start();
    await up(third);
    assert.match(third.said(), /stopped what a killed run had left behind: .*postgres/);
    assert.deepEqual(running(orphans), []);
    assert.equal(runFile().api, api, 'the ports of last time are preferred');

    const ours = pids();
    third.child.kill('SIGTERM');
    assert.deepEqual(await third.ended, [0, null], third.said());
    assert.deepEqual(running(ours), []);
    assert.equal(existsSync(join(state, 'run.json')), false);
  });
});
