import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, startedAt, withLock } from '../../scripts/lock.mjs';
import { nodeArgs, removeTempFolders, tempFolder } from './support.ts';

describe('the lock between processes', () => {
  after(removeTempFolders);

  it('lets one in at a time, and leaves no file', async () => {
    const file = join(tempFolder(), 'a.lock');
    let [inside, outside] = [0, 0];
    const bothWait = Promise.withResolvers<void>();
    const work = async () => {
      inside += 1;
      assert.equal(inside, 1);
      await bothWait.promise;
      inside -= 1;
    };
    const waiting = () => {
      outside += 1;
      if (outside === 2) bothWait.resolve();
    };
    await Promise.all([1, 2, 3].map(() => withLock(file, work, { waiting })));
    assert.equal(existsSync(file), false);
  });

  it('is free again when the work fails', async () => {
    const file = join(tempFolder(), 'a.lock');
    await assert.rejects(
      withLock(file, () => Promise.reject(new Error('broken'))),
      { message: 'broken' },
    );
    assert.equal(await withLock(file, async () => 'done'), 'done');
  });

  it('is waited for while its holder lives, and taken over once it is dead', async () => {
    const file = join(tempFolder(), 'a.lock');
    const holder = spawn(process.execPath, nodeArgs(), { stdio: 'ignore' });
    await once(holder, 'spawn');
    const pid = holder.pid ?? 0;
    writeFileSync(file, JSON.stringify({ pid, started: startedAt(pid) }));
    const told: number[] = [];
    const waiting = withLock(file, async () => 'mine', {
      waiting: (seen) => {
        told.push(seen);
        holder.kill('SIGKILL');
      },
    });
    assert.equal(await waiting, 'mine');
    assert.deepEqual(told, [pid]);
  });

  it('does not take another process with the same pid for the holder', () => {
    assert.equal(isAlive({ pid: process.pid, started: startedAt(process.pid) }), true);
    assert.equal(isAlive({ pid: process.pid, started: 'at another time' }), false);
  });

  it('is no longer waited for when the waiting is called off', async () => {
    const file = join(tempFolder(), 'a.lock');
    const stop = new AbortController();
    writeFileSync(file, JSON.stringify({ pid: process.pid, started: startedAt(process.pid) }));
    const waiting = withLock(file, async () => 'mine', { signal: stop.signal, waiting: () => stop.abort() });
    await assert.rejects(waiting, { name: 'AbortError' });
  });
});
