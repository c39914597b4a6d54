import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Activities } from '../../activities/index.ts';
import type { DecideInput } from '../../contracts/workflows/escalate-unread.ts';
import { createJobs } from '../../temporal/jobs.ts';
import { setUpNamespace } from '../../temporal/setup.ts';
import { workflowBundle } from '../../workers/bundle-workflows.ts';
import { installRuntime } from '../../workers/temporal-workers.ts';
import { services } from '../setup/services.ts';
import { until as later, userId } from '../support/story.ts';
import { until } from '../support/until.ts';

const namespace = 'homing-test';

/**
 * A build of the workflows with a bug in it, a build without, and one job between them. What the bug does to a job, and what
 * mends it, is the server's own doing: so all of it is real but the database's answers.
 */
describe('a bug of a worker', () => {
  let native: NativeConnection;
  let connection: Connection;
  let client: Client;
  let good: string;
  before(async function () {
    this.timeout(60_000);
    installRuntime({ info() {}, warn() {}, error() {} });
    native = await NativeConnection.connect({ address: services.temporalAddress });
    connection = await Connection.connect({ address: services.temporalAddress });
    await setUpNamespace(connection, namespace);
    client = new Client({ connection, namespace });
    good = await readFile(await workflowBundle(), 'utf8');
  });
  after(async () => {
    await connection.close();
    await native.close();
  });

  /** The same bundle with one thing in it changed. */
  const bundleWith = (find: string, replace: string) => {
    assert.equal(good.split(find).length, 2, `${find} stands in the bundle once`);
    return good.replace(find, () => replace);
  };
  async function run(prefix: string, code: string, decide: Activities['decide']) {
    const worker = await Worker.create({
      ...{ connection: native, namespace, taskQueue: `${prefix}attention` },
      ...{ workflowBundle: { code }, activities: { decide } },
      ...{ shutdownGraceTime: 100, shutdownForceTime: 1_000 },
    });
    const running = worker.run();
    return async () => {
      worker.shutdown();
      await running;
    };
  }
  const begin = async () => {
    const prefix = `deploy-${randomUUID()}-`;
    const handle = await client.workflow.start('escalateUnread', {
      ...{ taskQueue: `${prefix}attention`, workflowId: `${prefix}story`, args: [{ userId, episode: 1 }] },
    });
    return { prefix, handle };
  };
  const resetToBeginning = (workflowId: string, runId: string) =>
    client.workflowService.resetWorkflowExecution({
      ...{ namespace, workflowExecution: { workflowId, runId }, requestId: randomUUID() },
      // The end of the first workflow task: the story is told anew from there, its signals come along.
      ...{ reason: 'the bug is mended', workflowTaskFinishEventId: 4 as never },
    });
  const finished = { kind: 'finished' as const, outcome: 'read' as const };

  it('that no task gets past is found as a job whose worker fails; the next build carries it on where it stood', async () => {
    const { prefix, handle } = await begin();
    const broken = bundleWith(
      'async function escalateUnread(input) {',
      'async function escalateUnread(input) { null.bug;',
    );
    const stop = await run(prefix, broken, async () => finished);
    const jobs = createJobs(client, prefix);
    const { jobs: listed } = await until(
      () => jobs.list({ reason: 'worker_failing' }, { limit: 10, after: undefined }),
      (page) => page.jobs.length === 1,
      60_000,
    );
    assert.deepEqual(
      [listed[0]?.state, listed[0]?.reason, listed[0]?.needsAttention],
      ['running', 'worker_failing', true],
    );
    await assert.rejects(jobs.ask(handle.workflowId, 'retry', { by: 'Olga' }, randomUUID()), /worker/i);
    await stop();
    const end = await run(prefix, good, async () => finished);
    // A task that failed so often waits for minutes; reset begins it at once.
    const { runId } = await handle.describe();
    await resetToBeginning(handle.workflowId, runId);
    assert.equal(await client.workflow.getHandle(handle.workflowId).result(), 'read');
    await end();
  }).timeout(120_000);

  it('that has written a history which the next build does not understand: reset tells the story anew, and loses no request', async () => {
    const { prefix, handle } = await begin();
    const asked: DecideInput[] = [];
    const waiting = Promise.withResolvers<void>();
    const decide = async (input: DecideInput) => {
      asked.push(input);
      waiting.resolve();
      if (input.closed) return { kind: 'finished' as const, outcome: 'closed-by-operator' as const };
      return { kind: 'wait' as const, until: later(3_600_000), next: 'email' as const, why: 'step_delay' };
    };
    // It waits where the next build decides.
    const other = bundleWith(
      'let patience = firstPatience;',
      'let patience = firstPatience; await nudge.orUntil(new Date(Date.now() + 1_000).toISOString());',
    );
    const stop = await run(prefix, other, decide);
    await waiting.promise;
    await stop();
    const end = await run(prefix, good, decide);
    await handle.signal('nudge');
    const stuck = await until(
      async () => (await handle.describe()).raw.pendingWorkflowTask?.attempt ?? 0,
      (attempt) => attempt > 1,
      60_000,
    );
    assert.ok(stuck > 1, 'the next build does not understand the history');
    const before = asked.length;
    await resetToBeginning(handle.workflowId, (await handle.describe()).runId);
    const anew = client.workflow.getHandle(handle.workflowId);
    await until(
      async () => asked.length,
      (now) => now > before,
    );
    assert.deepEqual(await anew.executeUpdate('close', { args: [{ by: 'Olga' }] }), {
      done: true,
      message: 'the episode is closed; nothing more is sent for what is unread now',
    });
    assert.equal(await anew.result(), 'closed-by-operator');
    await end();
  }).timeout(120_000);
});
