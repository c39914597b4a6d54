import assert from 'node:assert/strict';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { NotifyInput, NotifyResult, Plan } from '../../contracts/workflows/escalate-unread.ts';
import { standardLadder } from '../../platform/config-types.ts';
import { workflowBundle } from '../../workers/bundle-workflows.ts';
import { services } from '../setup/services.ts';
import { notifyPlan } from '../support/story.ts';

/** The standard ladder takes half an hour; the test server skips what nobody waits for. */
describe('escalateUnread, over its true delays', () => {
  let environment: TestWorkflowEnvironment;
  before(async function () {
    this.timeout(60_000);
    environment = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: services.temporalTestServer } },
    });
  });
  after(() => environment?.teardown());

  it('pushes at once, mails after ten minutes, texts after thirty, and then ends', async () => {
    const began = await environment.currentTimeMs();
    const steps: [string, number][] = [];
    const now = () => environment.currentTimeMs();
    const instant = (ms: number) => new Date(began + ms).toISOString();
    const plans: (() => Plan)[] = [
      () => notifyPlan('push'),
      () => ({ kind: 'wait', until: instant(standardLadder.emailMs), next: 'email', why: 'step_delay' }),
      () => notifyPlan('email'),
      () => ({ kind: 'wait', until: instant(standardLadder.smsMs), next: 'sms', why: 'step_delay' }),
      () => notifyPlan('sms'),
      () => ({ kind: 'finished', outcome: 'every-step-spent' }),
    ];
    let asked = 0;
    const decide = async (): Promise<Plan> => (plans[asked++] as () => Plan)();
    const notify =
      (channel: string) =>
      async (_input: NotifyInput): Promise<NotifyResult> => {
        steps.push([channel, Math.floor(((await now()) - began) / 60_000)]);
        return { result: 'sent' };
      };
    const { nativeConnection: connection } = environment;
    const codePath = await workflowBundle();
    const calls = { notifyPush: notify('push'), notifyEmail: notify('email'), notifySms: notify('sms') };
    const workers = await Promise.all([
      Worker.create({ connection, taskQueue: 'attention', workflowBundle: { codePath }, activities: { decide } }),
      ...['push', 'email', 'sms'].map((taskQueue) => Worker.create({ connection, taskQueue, activities: calls })),
    ]);
    const running = Promise.all(workers.map((worker) => worker.run()));
    const outcome = await environment.client.workflow.execute('escalateUnread', {
      taskQueue: 'attention',
      workflowId: 'episode',
      args: [{ userId: '0190a000-0000-7000-8000-000000000001', episode: 1 }],
    });
    for (const worker of workers) worker.shutdown();
    await running;
    assert.equal(outcome, 'every-step-spent');
    assert.deepEqual(steps, [
      ['push', 0],
      ['email', 10],
      ['sms', 30],
    ]);
  }).timeout(60_000);
});
