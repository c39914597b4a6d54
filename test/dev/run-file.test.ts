import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AlreadyRunning, claimRun } from '../../dev/run-file.ts';
import { journalFor } from '../../dev/services/index.ts';
import { startedAt } from '../../scripts/lock.mjs';
import { isRunning, nodeArgs, removeTempFolders, tempFolder } from './support.ts';

describe('the run file', () => {
  after(removeTempFolders);

  it('is refused to a second one, which is told where the first is', async () => {
    const state = tempFolder();
    const claim = await claimRun(state);
    claim.write({ api: 'http://127.0.0.1:4321' });
    await assert.rejects(claimRun(state), (error: Error) => {
      assert.ok(error instanceof AlreadyRunning);
      assert.match(error.message, new RegExp(`running already \\(pid ${process.pid}[^]*http://127\\.0\\.0\\.1:4321`));
      return true;
    });
  });

  it('goes to exactly one of several that start at once', async () => {
    const state = tempFolder();
    const claims = await Promise.allSettled([claimRun(state), claimRun(state), claimRun(state)]);
    assert.equal(claims.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('can be had again once it is given back, and only its owner can read it', async () => {
    const state = tempFolder();
    const claim = await claimRun(state);
    assert.equal(statSync(join(state, 'run.json')).mode & 0o777, 0o600);
    claim.release();
    assert.equal(existsSync(join(state, 'run.json')), false);
    await claimRun(state);
  });

  it('of a run that was killed does not count, and what that left running is stopped', async () => {
    const state = tempFolder();
    const left = spawn(process.execPath, nodeArgs(), { stdio: 'ignore', detached: true });
    await once(left, 'spawn');
    const pid = left.pid ?? 0;
    const gone = once(left, 'exit');
    writeFileSync(join(state, 'run.json'), JSON.stringify({ pid: process.pid, started: 'before', state: 'up' }));
    mkdirSync(journalFor(state));
    writeFileSync(
      join(journalFor(state), String(pid)),
      JSON.stringify({ name: 'redis', pid, started: startedAt(pid) }),
    );
    const claim = await claimRun(state);
    assert.deepEqual(claim.stopped, ['redis']);
    await gone;
    assert.equal(JSON.parse(readFileSync(join(state, 'run.json'), 'utf8')).pid, process.pid);
  });

  it('leaves alone a process that merely has a recorded pid', async () => {
    const state = tempFolder();
    const other = spawn(process.execPath, nodeArgs(), { stdio: 'ignore' });
    await once(other, 'spawn');
    const pid = other.pid ?? 0;
    mkdirSync(journalFor(state));
    writeFileSync(join(journalFor(state), String(pid)), JSON.stringify({ name: 'redis', pid, started: 'before' }));
    const { stopped } = await claimRun(state);
    assert.deepEqual(stopped, []);
    assert.ok(isRunning(pid));
    other.kill('SIGKILL');
    await once(other, 'exit');
  });
});
