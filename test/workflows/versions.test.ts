import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import type { DecideInput } from '../../contracts/workflows/escalate-unread.ts';
import { openTemporal } from '../../temporal/client.ts';
import { deploymentName } from '../../temporal/names.ts';
import { setUpNamespace } from '../../temporal/setup.ts';
import { type Workers, installRuntime, runWorkers } from '../../workers/temporal-workers.ts';
import { services } from '../setup/services.ts';
import { notifyPlan, until as later, userId } from '../support/story.ts';
import { until } from '../support/until.ts';

const namespace = 'homing-test';
const payloadKeys = [{ kid: 'one', key: Buffer.alloc(32, 1).toString('base64') }];
const quiet = { info() {}, warn() {}, error() {} };

/** The workers as the role runs them, of two builds beside each other. */
describe('builds of the workers', () => {
  let client: Client;
  const running: Workers[] = [];
  before(async function () {
    this.timeout(60_000);
    installRuntime(quiet);
    client = openTemporal({ address: services.temporalAddress, namespace, payloadKeys });
    await setUpNamespace(client.connection, namespace);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((workers) => workers.stop()));
  });
  after(() => client.connection.close());

  /** Which build did what, by the episode's number. */
  async function build(queuePrefix: string, buildId: string, told: string[], wait: { over: boolean }) {
    const activities = {
      decide: async ({ episode }: DecideInput) => {
        told.push(`${buildId} decides on ${episode}`);
        if (!wait.over) return { kind: 'wait', until: later(3_600_000), next: 'push', why: 'step_delay' };
        const pushed = told.some((line) => line.endsWith(`pushes ${episode}`));
        return pushed ? { kind: 'finished', outcome: 'every-step-spent' } : notifyPlan('push');
      },
      notifyPush: async ({ episode }: DecideInput) => {
        told.push(`${buildId} pushes ${episode}`);
        return { result: 'sent' };
      },
    } as unknown as Activities;
    const workers = runWorkers({
      ...{ address: services.temporalAddress, namespace, queuePrefix, buildId, activities, log: quiet, setUp: false },
      ...{ payloadKeys, rates: { push: 100, email: 100, sms: 100 } },
    });
    running.push(workers);
    await workers.ready;
  }

  const makeCurrent = (queuePrefix: string, buildId: string) =>
    until(
      // Its workers are known some moments after they began to poll.
      () =>
        client.workflowService
          .setWorkerDeploymentCurrentVersion({
            ...{ namespace, deploymentName: deploymentName(queuePrefix), buildId, identity: 'test' },
          })
          .then(
            () => true,
            () => false,
          ),
      (done) => done,
      30_000,
    );

  const begin = (prefix: string, episode: number) =>
    client.workflow.start('escalateUnread', {
      ...{ taskQueue: `${prefix}attention`, workflowId: `${prefix}${episode}`, args: [{ userId, episode }] },
    });

  it('an episode stays with the one that began it, with all its calls; a new one goes to the current', async () => {
    const prefix = `v${randomUUID()}-`;
    const told: string[] = [];
    const wait = { over: false };
    await build(prefix, 'old', told, wait);
    await makeCurrent(prefix, 'old');
    const first = await begin(prefix, 1);
    await until(
      async () => told.length,
      (length) => length > 0,
    );
    await build(prefix, 'new', told, wait);
    await makeCurrent(prefix, 'new');
    wait.over = true;
    const second = await begin(prefix, 2);
    await first.signal('nudge');
    assert.deepEqual(await Promise.all([first.result(), second.result()]), ['every-step-spent', 'every-step-spent']);
    assert.deepEqual(
      new Set(told),
      new Set([...['old decides on 1', 'old pushes 1'], ...['new decides on 2', 'new pushes 2']]),
    );
  }).timeout(90_000);
});
