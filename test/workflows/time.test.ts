import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import type {
  DecideInput,
  EscalateUnreadInput,
  EscalateUnreadOutcome,
  NotifyInput,
  NotifyResult,
  Plan,
} from '../../contracts/workflows/escalate-unread.ts';
import { searchAttributes } from '../../contracts/workflows/names.ts';
import { standardLadder } from '../../platform/config-types.ts';
import { workflowBundle } from '../../workers/bundle-workflows.ts';
import { installRuntime } from '../../workers/temporal-workers.ts';
import { services } from '../setup/services.ts';
import { type Script, notifyPlan } from '../support/story.ts';

/** The standard ladder takes half an hour; the test server skips what nobody waits for. */
describe('escalateUnread, over its true delays', () => {
  let environment: TestWorkflowEnvironment;
  before(async function () {
    this.timeout(60_000);
    installRuntime({ info() {}, warn() {}, error() {} });
    environment = await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: services.temporalTestServer } },
    });
    // The protocol's numbers of these types.
    const typeOf = { KEYWORD: 2, KEYWORD_LIST: 7, BOOL: 5 };
    await environment.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(
        Object.entries(searchAttributes).map(([name, type]) => [name, typeOf[type]]),
      ),
    });
  });
  after(() => environment?.teardown());

  type Handle = WorkflowHandle<(input: EscalateUnreadInput) => Promise<EscalateUnreadOutcome>>;
  /** One story on workers of its own, with these stand-ins for database and providers. */
  const run = async <T>(
    script: Pick<Required<Script>, 'decide' | 'notify'>,
    use: (handle: Handle) => Promise<T>,
  ): Promise<T> => {
    const { nativeConnection: connection } = environment;
    const codePath = await workflowBundle();
    const by = (channel: string) => (input: NotifyInput) => script.notify(channel, input);
    const calls = { notifyPush: by('push'), notifyEmail: by('email'), notifySms: by('sms') };
    const activities = { decide: script.decide };
    const workers = await Promise.all([
      Worker.create({ connection, taskQueue: 'attention', workflowBundle: { codePath }, activities }),
      ...['push', 'email', 'sms'].map((taskQueue) => Worker.create({ connection, taskQueue, activities: calls })),
    ]);
    const running = Promise.all(workers.map((worker) => worker.run()));
    try {
      const handle = await environment.client.workflow.start('escalateUnread', {
        taskQueue: 'attention',
        workflowId: `episode-${randomUUID()}`,
        args: [{ userId: '0190a000-0000-7000-8000-000000000001', episode: 1 }],
      });
      return await use(handle as Handle);
    } finally {
      for (const worker of workers) worker.shutdown();
      await running;
    }
  };

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
    const notify = async (channel: string): Promise<NotifyResult> => {
      steps.push([channel, Math.floor(((await now()) - began) / 60_000)]);
      return { result: 'sent' };
    };
    const outcome = await run({ decide, notify }, (handle) => handle.result());
    assert.equal(outcome, 'every-step-spent');
    assert.deepEqual(steps, [
      ['push', 0],
      ['email', 10],
      ['sms', 30],
    ]);
  }).timeout(60_000);

  /** Stuck on the push until it is asked for again; a person may take the time that they like. */
  const stuckPush = () => {
    const asked: string[] = [];
    const tries: { again: boolean; at: number }[] = [];
    const waiting = Promise.withResolvers<void>();
    const decide = async ({ stuck, struckOff, underWay, closed }: DecideInput): Promise<Plan> => {
      const now = await environment.currentTimeMs();
      asked.push([...stuck.map(({ channel }) => channel), '|', ...struckOff].join(' '));
      if (asked.length === 1) return notifyPlan('push', 600_000, 600_000);
      if (closed) return { kind: 'finished', outcome: 'closed-by-operator' };
      if (stuck.length === 0 && underWay.length === 0 && tries.length > 1)
        return { kind: 'finished', outcome: 'every-step-spent' };
      if (stuck.length > 0) waiting.resolve();
      const until = new Date(now + 86_400_000).toISOString();
      return { kind: 'wait', until, next: 'operator', why: 'needs_operator' };
    };
    const notify = async (_channel: string, { again = false }: NotifyInput): Promise<NotifyResult> => {
      tries.push({ again, at: await environment.currentTimeMs() });
      return again ? { result: 'sent' } : { result: 'stuck', reason: 'provider_configuration', code: '401' };
    };
    return { script: { decide, notify }, asked, tries, waiting: waiting.promise };
  };
  const act = (handle: Handle, name: string, request: object) =>
    handle.executeUpdate(name, { args: [{ by: 'Olga', ...request }] });

  it('tries a snoozed step again by itself when its time has come', async () => {
    const { script, tries, waiting } = stuckPush();
    const outcome = await run(script, async (handle) => {
      await waiting;
      await act(handle, 'snooze', { minutes: 30 });
      return handle.result();
    });
    assert.equal(outcome, 'every-step-spent');
    const [first, second] = tries;
    assert.deepEqual([first?.again, second?.again], [false, true]);
    assert.equal(Math.floor(((second?.at ?? 0) - (first?.at ?? 0)) / 60_000), 30);
  }).timeout(60_000);

  it('forgets the snooze of a step that is skipped, and waits quietly', async () => {
    const { script, asked, tries, waiting } = stuckPush();
    await run(script, async (handle) => {
      await waiting;
      await act(handle, 'snooze', { minutes: 1 });
      await act(handle, 'skip', {});
      await environment.sleep('10 minutes');
      await act(handle, 'close', {});
      return handle.result();
    });
    assert.equal(tries.length, 1);
    assert.ok(asked.length < 10, `it looked ${asked.length} times`);
  }).timeout(60_000);
});
