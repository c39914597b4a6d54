import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { longestStall } from './stall.ts';

describe('a stall of the event loop', () => {
  it('is seen when this thread works on and on', async () => {
    const stalled = await longestStall(async () => {
      const { user } = process.threadCpuUsage();
      while (process.threadCpuUsage().user - user < 250_000);
    });
    assert.ok(stalled >= 250, `${stalled} ms`);
  });

  it('is not seen when the thread was kept from working', async () => {
    const stalled = await longestStall(async () => spawnSync('sleep', ['0.4']));
    assert.ok(stalled < 200, `${stalled} ms`);
  });
});
