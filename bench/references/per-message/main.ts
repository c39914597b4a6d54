import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { ConversationId, UserId } from '../../../contracts/ids.ts';
import { readConfig } from '../../../platform/config.ts';
import { createRuntime } from '../../../runtime.ts';
import { openTemporal } from '../../../temporal/client.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { serve } from '../../lib/child.ts';

/**
 * The same ladder as a workflow for each message and person: what is there before anybody gathers. A start with a delay, a
 * check whether it was read, the provider's SDK, and one row for what came of it; nothing of our locks and explanations.
 */
const config = readConfig();
const { deps } = await createRuntime(config, ['worker']);
const taskQueue = 'per-message';
Runtime.install({ logger: new DefaultLogger('WARN') });
const client = openTemporal({
  ...{ address: config.TEMPORAL_ADDRESS, namespace: config.TEMPORAL_NAMESPACE },
  payloadKeys: config.HOMING_PAYLOAD_KEYS,
});

export interface Announced {
  userId: UserId;
  conversationId: ConversationId;
  seq: number;
}
type Channel = 'push' | 'email';
export interface PerMessageActivities {
  announce(channel: Channel, message: Announced): Promise<'read' | 'sent'>;
}

const activities: PerMessageActivities = {
  async announce(channel, { userId, conversationId, seq }) {
    const unread = await lookUp(userId, conversationId, seq);
    if (!unread) return 'read';
    const attemptId = deps.newId();
    await send(channel, attemptId, conversationId, unread);
    await deps.db.write({
      name: 'bench-announced',
      text: `insert into attempts (user_id, id, episode, channel, state, covers, claimed_at, finished_at)
        values ($1, $2, 1, $3, 'accepted', '[]', now(), now())`,
      values: [userId, attemptId, channel],
    });
    return 'sent';
  },
};

interface Unread {
  text: string;
  token: string;
  email: string;
}

async function lookUp(userId: UserId, conversationId: ConversationId, seq: number): Promise<Unread | undefined> {
  const { rows } = await deps.db.query<Unread>({
    name: 'bench-unread',
    text: `select s.text, d.push_token as token, u.email
      from members m join messages s on s.conversation_id = m.conversation_id and s.seq = $3
        join users u on u.id = m.user_id join devices d on d.user_id = m.user_id
      where m.conversation_id = $1 and m.user_id = $2 and m.seen_seq < $3`,
    values: [conversationId, userId, seq],
  });
  return rows[0];
}

async function send(channel: Channel, attemptId: string, key: string, { text, token, email }: Unread): Promise<void> {
  const { class: outcome } =
    channel === 'push'
      ? await deps.senders.push.send({
          ...{ token, platform: 'android', attemptId, conversationKey: key, title: 'A group', body: text },
          ...{ data: { conversationId: key }, badge: 1, urgent: false, sound: true, ttlSeconds: 86_400 },
        })
      : await deps.senders.email.send({
          ...{ to: email, attemptId, subject: 'New messages', text, html: `<p>${text}</p>` },
          messageId: `<${attemptId}@example.test>`,
        });
  if (outcome !== 'ok') throw new Error(`the ${channel} of a benchmark was not taken: ${outcome}`);
}

const calls = {
  async start(): Promise<void> {
    const connection = await NativeConnection.connect({ address: config.TEMPORAL_ADDRESS });
    const worker = await Worker.create({
      ...{ connection, namespace: config.TEMPORAL_NAMESPACE, taskQueue, activities },
      workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
      dataConverter: createDataConverter(config.HOMING_PAYLOAD_KEYS),
    });
    void worker.run();
  },
  /** A workflow each; resolves when all of them are through. */
  async announce(messages: readonly Announced[]): Promise<void> {
    const { pushMs, emailMs } = deps.ladder;
    const handles = await Promise.all(
      messages.map((message) =>
        client.workflow.start('announceMessage', {
          ...{ taskQueue, workflowId: `message/${message.userId}/${message.conversationId}/${message.seq}` },
          ...{ args: [message, emailMs - pushMs], startDelay: pushMs },
        }),
      ),
    );
    for (const handle of handles) await handle.result();
  },
};
export type PerMessage = typeof calls;
serve(calls);
