import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../activities/index.ts';
import type { DecideInput } from '../../contracts/workflows/escalate-unread.ts';
import type { Deps } from '../../domain/deps.ts';
import { DomainError } from '../../domain/errors.ts';
import { setUpNamespace } from '../../temporal/setup.ts';
import { installRuntime, runWorkers } from '../../workers/temporal-workers.ts';
import { services } from '../setup/services.ts';
import { userId } from '../support/story.ts';
import { until } from '../support/until.ts';

type Line = [level: string, message: string, fields: Record<string, unknown>];

function recorder() {
  const lines: Line[] = [];
  const write =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      void lines.push([level, message, fields]);
  return { lines, log: { info: write('info'), warn: write('warn'), error: write('error') } };
}

/** Stands between workers and Temporal, and counts what is open. */
async function countingProxy() {
  const [host = '', port] = services.temporalAddress.split(':');
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    const upstream = connect(Number(port), host);
    socket.pipe(upstream).pipe(socket);
    const end = () => (open.delete(socket), socket.destroy(), upstream.destroy());
    for (const one of [socket, upstream]) one.on('error', end).on('close', end);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    open,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

describe('the Temporal workers', () => {
  it('close what they opened when their namespace is missing, and poll as soon as it is there', async () => {
    installRuntime({ info() {}, warn() {}, error() {} });
    const proxy = await countingProxy();
    const namespace = `missing-${randomUUID()}`;
    const { lines, log } = recorder();
    const workers = runWorkers({
      address: proxy.address,
      namespace,
      queuePrefix: `w${randomUUID()}-`,
      payloadKeys: [{ kid: 'one', key: Buffer.alloc(32, 1).toString('base64') }],
      activities: createActivities({ log } as never),
      buildId: undefined,
      rates: { push: 100, email: 100, sms: 100 },
      log,
      setUp: false,
    });
    try {
      const failures = () => lines.filter(([level]) => level === 'error').length;
      await until(
        async () => failures(),
        (count) => count >= 2,
      );
      // A try holds one for a moment, and leaves none.
      await until(
        async () => proxy.open.size,
        (count) => count === 0,
      );
      const connection = await Connection.connect({ address: services.temporalAddress });
      // The server takes a while to know what it has just made.
      const made = () =>
        setUpNamespace(connection, namespace).then(
          () => true,
          () => false,
        );
      await until(made, (done) => done);
      await connection.close();
      await workers.ready;
    } finally {
      await workers.stop();
    }
    await until(
      async () => proxy.open.size,
      (count) => count === 0,
    );
    await proxy.close();
  }).timeout(60_000);
});

describe('an activity that fails', () => {
  const decideWith = (thrown: Error) => {
    const { lines, log } = recorder();
    const circuits = { look: async () => new Map() };
    const deps = { log, circuits, presence: () => Promise.reject(thrown) } as unknown as Deps;
    const input = { userId, episode: 1 } as DecideInput;
    const run = new MockActivityEnvironment().run(createActivities(deps).decide, input);
    return { lines, run };
  };

  it('tells the log what went wrong, and the history a code alone', async () => {
    const { lines, run } = decideWith(new Error('column "x" does not exist'));
    await assert.rejects(
      run,
      (error: ApplicationFailure) => error.type === 'internal' && !error.message.includes('column'),
    );
    const [level, , fields] = lines[0] as Line;
    assert.equal(level, 'error');
    assert.deepEqual([fields.activity, fields.code, fields.attempt], ['decide', 'internal', 1]);
    assert.match((fields.error as Error).message, /column "x"/);
  });

  it('is a warning where it says itself what it is', async () => {
    const { lines, run } = decideWith(new DomainError('unavailable'));
    await assert.rejects(run, ApplicationFailure);
    assert.equal(lines[0]?.[0], 'warn');
  });
});
