import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { leftBehind, journalFor } from '../../dev/services/index.ts';
import { alive, readRunFile, runDev, type Started, stateOfOwnPorts } from './started.ts';
import { removeTempFolders, until } from './support.ts';

describe('npm start', function () {
  this.timeout(180_000);
  let state: string;
  const started: Started[] = [];

  before(async () => {
    state = await stateOfOwnPorts();
  });
  // Not by KILL: one that a failing test leaves running has services of its own to stop.
  after(async () => {
    for (const { child } of started) child.kill('SIGTERM');
    await Promise.all(started.map(({ ended }) => ended));
    removeTempFolders();
  });

  const start = (...args: string[]): Started => {
    const one = runDev('start.ts', ['--state', state, ...args]);
    started.push(one);
    return one;
  };
  const pids = () => Object.values(readRunFile(state).pids ?? {});

  it('refuses a flag that it does not know, and starts nothing', async () => {
    const one = start('--frehs');
    assert.deepEqual(await one.ended, [2, null]);
    assert.match(one.said(), /--frehs[^]*--fresh/);
    assert.equal(existsSync(join(state, 'run.json')), false);
  });

  const stopsWhole = async (one: Started) => {
    assert.deepEqual(await one.ended, [0, null], one.said());
    assert.deepEqual(leftBehind(journalFor(state)), []);
    assert.equal(existsSync(join(state, 'run.json')), false);
  };
  const halfUp = () => until(() => leftBehind(journalFor(state)).length >= 2);

  it('leaves nothing behind when it is told to stop while it starts', async () => {
    const one = start();
    await halfUp();
    one.child.kill('SIGTERM');
    await stopsWhole(one);
  });

  it('leaves nothing behind when the reader of its output goes away, as head does', async () => {
    const one = start();
    await halfUp();
    one.child.stdout?.destroy();
    await stopsWhole(one);
  });

  it('leaves nothing behind when its terminal is closed', async () => {
    const one = start();
    await halfUp();
    one.child.kill('SIGHUP');
    for (const stream of [one.child.stdout, one.child.stderr]) stream?.destroy();
    await stopsWhole(one);
  });

  it('that was killed leaves services, which npm stop stops', async () => {
    const one = start();
    // A service, not one of the programs that are asked for their version and end by themselves.
    await until(() => leftBehind(journalFor(state)).some(({ name }) => name === 'redis'));
    one.child.kill('SIGKILL');
    await one.ended;
    const left = leftBehind(journalFor(state)).map(({ pid }) => pid);
    assert.ok(left.length > 0);
    const stop = runDev('stop.ts', ['--state', state]);
    assert.deepEqual(await stop.ended, [0, null]);
    assert.match(stop.said(), /a killed start had left running: /);
    assert.deepEqual(alive(left), []);
  });

  it('brings up everything, writes where it is, refuses a second, mends after a kill, and stops whole', async () => {
    const first = start();
    await first.up();
    const { api, sandbox, metricsByRole = {} } = readRunFile(state);
    for (const url of [`${api}/readyz`, `${sandbox}/healthz`, ...Object.values(metricsByRole)]) {
      assert.equal((await fetch(url)).status, 200, url);
    }
    // Where a sign-in elsewhere ends whose app nobody knows.
    const { headers } = await fetch(`${api}/v1/auth/oauth/sandbox/callback`, { redirect: 'manual' });
    const back = headers.get('location') ?? '';
    assert.equal((await fetch(back)).status, 200, back);
    assert.equal(statSync(join(state, 'secrets.json')).mode & 0o777, 0o600);

    const second = start();
    assert.deepEqual(await second.ended, [1, null]);
    assert.match(second.said(), new RegExp(`running already \\(pid ${first.child.pid}[^]*${api}`));

    const orphans = pids();
    first.child.kill('SIGKILL');
    await first.ended;
    assert.ok(alive(orphans).length > 0);

    const third = start();
    await third.up();
    assert.match(third.said(), /stopped what a killed run had left behind: .*postgres/);
    assert.deepEqual(alive(orphans), []);
    assert.equal(readRunFile(state).api, api, 'the ports of last time are preferred');

    const ours = pids();
    const stop = runDev('stop.ts', ['--state', state]);
    assert.deepEqual(await third.ended, [0, null], third.said());
    assert.deepEqual(await stop.ended, [0, null], stop.said());
    assert.deepEqual(alive(ours), []);
    assert.equal(existsSync(join(state, 'run.json')), false);
  });
});
