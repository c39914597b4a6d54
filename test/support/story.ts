import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Activities } from '../../activities/index.ts';
import type {
  EscalateUnreadInput,
  EscalateUnreadOutcome,
  NotifyInput,
  NotifyResult,
  Plan,
} from '../../contracts/workflows/escalate-unread.ts';
import type { SendNoticeInput } from '../../contracts/workflows/send-notice.ts';
import type { SendVerificationInput } from '../../contracts/workflows/send-verification.ts';
import type { UserId } from '../../contracts/ids.ts';
import { nudgeSignal, type workflowNames } from '../../contracts/workflows/names.ts';
import { setUpNamespace } from '../../temporal/setup.ts';
import { workflowBundle } from '../../workers/bundle-workflows.ts';
import { installRuntime } from '../../workers/temporal-workers.ts';
import { services } from '../setup/services.ts';

/** What the stand-in for the database says next, and what the stand-ins for the providers answer. */
export interface Script {
  decide: Activities['decide'];
  notify?: (channel: string, input: NotifyInput) => Promise<NotifyResult>;
  sendCode?: Activities['sendCode'];
  sendNotice?: Activities['sendNotice'];
  /** From when on a provider's queue is worked at; at once where it is left out. */
  opened?: Promise<void>;
}

export const patience = { firstMs: 50, maxMs: 100, giveUpMs: 10_000, heartbeatMs: 5_000 };
export const until = (ms: number): string => new Date(Date.now() + ms).toISOString();
/** `meanwhileMs`: when another step falls due. */
export const notifyPlan = (
  channel: 'push' | 'email' | 'sms',
  giveUpMs = patience.giveUpMs,
  meanwhileMs = 60_000,
): Plan => ({
  kind: 'notify',
  channel,
  attemptId: `attempt-${channel}`,
  conversationIds: ['c1'],
  until: until(meanwhileMs),
  retry: { ...patience, giveUpMs },
});

export const userId = '0190a000-0000-7000-8000-000000000001' as UserId;

/** Plans one after another; the last one for as long as it is asked. Keeps what it was asked with. */
export function scripted(...plans: (Plan | (() => Plan))[]) {
  const asked: Parameters<Activities['decide']>[0][] = [];
  const decide: Activities['decide'] = async (input) => {
    asked.push(input);
    const plan = plans[Math.min(asked.length, plans.length) - 1] as Plan | (() => Plan);
    return typeof plan === 'function' ? plan() : plan;
  };
  return { decide, asked };
}

export interface Story {
  handle: WorkflowHandle<(input: EscalateUnreadInput) => Promise<EscalateUnreadOutcome>>;
  nudge(): Promise<void>;
  /** Keeps the history as a case for the replay, where it is asked for. */
  record(name: string): Promise<void>;
}

/** The history of one run as a case for the replay, where it is asked for. */
export async function recordHistory(handle: Pick<WorkflowHandle, 'fetchHistory'>, name: string): Promise<void> {
  if (!process.env.RECORD_HISTORIES) return;
  const history = withoutMachine(historyToJSON(await handle.fetchHistory()));
  await writeFile(new URL(`../workflows/histories/${name}.json`, import.meta.url), `${history}\n`);
}

/** A history as any machine would have recorded it: stacks from the root of the project, and no name of a process or host. */
function withoutMachine(history: string): string {
  return history
    .replaceAll(new URL('../..', import.meta.url).href, '')
    .replaceAll(fileURLToPath(new URL('../..', import.meta.url)), '')
    .replaceAll(/"\d+@[^"]+"/g, '"worker"');
}

/** Workers of one's own on the suite's real Temporal server, whose activities follow a script. */
export async function tellStory<T>(
  script: Script,
  use: (story: Story) => Promise<T>,
  input: Partial<EscalateUnreadInput> | SendVerificationInput | SendNoticeInput = {},
): Promise<T> {
  installRuntime({ info() {}, warn() {}, error() {} });
  const namespace = 'homing-test';
  const connection = await NativeConnection.connect({ address: services.temporalAddress });
  await setUpNamespace(connection, namespace);
  const prefix = `story-${randomUUID()}-`;
  const codePath = await workflowBundle();
  // A story that a failing test leaves running must not keep its worker.
  const ending = { shutdownGraceTime: 100, shutdownForceTime: 1_000 };
  const notify = script.notify ?? (async () => ({ result: 'sent' as const }));
  const sendCode = script.sendCode ?? (async () => 'sent' as const);
  const calls = Object.fromEntries<unknown>(
    (['push', 'email', 'sms'] as const).map((channel) => [
      `notify${channel[0]?.toUpperCase()}${channel.slice(1)}`,
      (input: NotifyInput) => notify(channel, input),
    ]),
  );
  const sendNotice = script.sendNotice ?? (async () => 'sent' as const);
  const activities = { ...calls, sendCode, sendNotice };
  const [attention, ...providers] = await Promise.all([
    Worker.create({
      ...ending,
      connection,
      namespace,
      taskQueue: `${prefix}attention`,
      workflowBundle: { codePath },
      activities: { decide: script.decide },
    }),
    ...['push', 'email', 'sms'].map((queue) =>
      Worker.create({ ...ending, connection, namespace, taskQueue: `${prefix}${queue}`, activities }),
    ),
  ]);
  const running = new Map([[attention, attention.run()]]);
  const opened = Promise.resolve(script.opened);
  void opened.then(() => providers.forEach((worker) => running.set(worker, worker.run())));
  const clientConnection = await Connection.connect({ address: services.temporalAddress });
  const client = new Client({ connection: clientConnection, namespace });
  try {
    const name = nameOf(input);
    const handle = await client.workflow.start(name, {
      taskQueue: `${prefix}attention`,
      workflowId: `${prefix}story`,
      args: [name === 'escalateUnread' ? { userId, episode: 1, ...input } : input],
    });
    const firstRun = client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
    return await use({
      handle: handle as Story['handle'],
      nudge: () => handle.signal(nudgeSignal),
      record: (name) => recordHistory(firstRun, name),
    });
  } finally {
    for (const worker of running.keys()) worker.shutdown();
    await Promise.allSettled(running.values());
    await clientConnection.close();
    await connection.close();
  }
}

/** Which story begins with such an input. */
function nameOf(input: object): keyof typeof workflowNames {
  if ('verificationId' in input) return 'sendVerification';
  return 'noticeId' in input ? 'sendNotice' : 'escalateUnread';
}
