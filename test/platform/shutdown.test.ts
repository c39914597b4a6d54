import assert from 'node:assert/strict';
import { supervisorLimits } from '../../dev/supervisor.ts';
import { createShutdown, stageLimits, stages } from '../../platform/shutdown.ts';
import { workerStopping } from '../../workers/temporal-workers.ts';

const silent = { info() {}, warn() {}, error() {} };

describe('stopping', () => {
  it('sees a send through, is over before the supervisor loses patience, and takes less than ten seconds in all', () => {
    const { roleGraceMs, serviceGraceMs } = supervisorLimits;
    assert.ok(workerStopping.graceMs < workerStopping.forceMs);
    assert.ok(workerStopping.forceMs < stageLimits.drain, 'the database stays until the last send is written down');
    const all = stages.reduce((sum, stage) => sum + stageLimits[stage], 0);
    assert.ok(all < roleGraceMs, `the stages take ${all} ms at most`);
    assert.ok(roleGraceMs + serviceGraceMs < 10_000);
  });

  it('runs its stages in order, and those of one stage together', async () => {
    const order: string[] = [];
    const shutdown = createShutdown(silent);
    const together = Promise.withResolvers<void>();
    shutdown.on('storage', 'database', () => void order.push('storage'));
    shutdown.on('drain', 'one', () => together.promise.then(() => order.push('one')));
    shutdown.on('drain', 'other', () => (order.push('other'), together.resolve()));
    await Promise.all([shutdown.stop('test'), shutdown.stop('again')]);
    assert.deepEqual(order, ['other', 'one', 'storage']);
  });

  it('leaves behind what hangs or fails', async () => {
    const order: string[] = [];
    const shutdown = createShutdown(silent);
    shutdown.on('hints', 'hangs', () => new Promise(() => undefined));
    shutdown.on('flush', 'fails', () => Promise.reject(new Error('no')));
    shutdown.on('storage', 'database', () => void order.push('storage'));
    await shutdown.stop('test');
    assert.deepEqual(order, ['storage']);
  });
});
