import type { ConversationEvent, SyncResponse } from '../../../contracts/entities/index.ts';
import type { ServerEventName, ServerEventPayload } from '../../../contracts/realtime/index.ts';
import type { Client, ClientConversation, ClientEvents } from '../../../sdk/index.ts';
import type { ConversationState } from '../../../sdk/reducer.ts';
import { type Surroundings, surroundings } from '../../../sdk/surroundings.ts';
import type { Operation } from '../record.ts';
import type { Outcome, Recorder } from '../recorder.ts';
import type { ClientOptions } from './client.ts';
import { type Body, answerOf } from './requests.ts';
import { entry, refusedWith, seen, synced } from './translate.ts';

type Told<Name extends keyof ClientEvents> = ClientEvents[Name];

/** Writes down what one process of the typed client shows and tells: by its events and by what it answers when asked. */
export class Watch {
  readonly #client: Client;
  readonly #who: string;
  readonly #recorder: Recorder;
  /** The version that each conversation was last seen at. */
  readonly #versions = new Map<string, number>();
  /** Of which the client has said since that they are other than before. */
  readonly #moved = new Set<string>();
  readonly #states = new Map<string, ConversationState>();

  constructor(client: Client, who: string, recorder: Recorder) {
    this.#client = client;
    this.#who = who;
    this.#recorder = recorder;
    client.on('change', (event) => this.#change(event));
    client.on('conversation', (told) => this.#look(told));
    client.on('message', ({ conversationId: conversation, message }) =>
      recorder.add({ kind: 'told', who, conversation, message: seen(message) }),
    );
  }

  /** What is held, as the client shows it. What it does not say has changed is as it was. */
  get conversations(): ReadonlyMap<string, ConversationState> {
    for (const id of this.#moved) {
      const view = this.#client.conversation(id);
      if (view) this.#states.set(id, stateOf(view));
      else this.#states.delete(id);
    }
    this.#moved.clear();
    return this.#states;
  }

  /** The last entry of a membership is told, too, when nothing is held any more: that is an end, and no step. */
  #change({ conversationId: conversation, version }: ConversationEvent): void {
    if (!this.#client.conversation(conversation)) return;
    this.#versions.set(conversation, version);
    this.#recorder.add({ kind: 'applied', who: this.#who, conversation, version });
  }

  #look({ conversationId: conversation, last }: Told<'conversation'>): void {
    this.#moved.add(conversation);
    const before = this.#versions.get(conversation) ?? 0;
    const version = this.#client.conversation(conversation)?.version;
    if (version === before) return;
    if (version === undefined) this.#versions.delete(conversation);
    else this.#versions.set(conversation, version);
    const kind = version === undefined ? 'ended' : 'replaced';
    this.#recorder.add({ kind, who: this.#who, conversation, version: version ?? last?.version ?? before });
  }
}

function stateOf({ id, kind, version, lastSeq, memberCount, ...view }: ClientConversation): ConversationState {
  const { title, description, visibility, posting, history, members, messages } = view;
  return {
    ...{ id, kind, version, lastSeq, memberCount },
    settings: { title, description, visibility, posting, history },
    members: members && new Map(members.map(({ userId, ...member }) => [userId, member])),
    messages: new Map(messages.map((message) => [message.seq, message])),
  };
}

export interface Tapped extends Pick<ClientOptions, 'recorder' | 'random' | 'dropRate'> {
  who: string;
  /** What was answered to the client's telling how far somebody has read. */
  onReceipt: (conversation: string, outcome: Outcome) => void;
  /** A try to send was not answered, or not with what became of it. */
  onDoubt: (clientId: string) => void;
}

/** What is told live beside the log. */
const unlogged: ReadonlySet<string> = new Set(['receipts', 'membership', 'blocks'] satisfies ServerEventName[]);

/**
 * The client's own socket, with somebody who listens on the line: what the server tells is written down as for any other
 * client, and some of what is told live is lost.
 */
export function tapped({ who, recorder, random, dropRate, onReceipt, onDoubt }: Tapped): Surroundings['open'] {
  const isLost = (event: ConversationEvent) => {
    const dropped = random.chance(dropRate());
    recorder.add({ kind: 'delivered', who, entry: entry(event), dropped });
    return dropped;
  };
  return (url, auth, listener) => {
    const greeted = Promise.withResolvers<Outcome>();
    void recorder.attempt(who, { what: 'sync' }, () => greeted.promise);
    const wire = surroundings.open(url, auth, {
      heard(name, payload) {
        if (name === 'event' && isLost(payload as ConversationEvent)) return;
        if (unlogged.has(name) && random.chance(dropRate())) return;
        if (name === 'hello') greeted.resolve(greeting(payload as ServerEventPayload<'hello'>));
        listener.heard(name, payload);
      },
      closed(why) {
        greeted.resolve({ result: 'unknown', why: 'the connection was lost' });
        listener.closed(why);
      },
    });
    return {
      close: () => wire.close(),
      async request(name, input, timeoutMs) {
        const go = () => wire.request(name, input, timeoutMs) as Promise<Reply>;
        const operation = asked(name, input);
        if (operation) return record(operation, go, { who, recorder });
        if (name === 'message.send') return watchSend(input as SendInput, go, onDoubt);
        const reply = await go();
        if (name === 'receipt.update') onReceipt((input as Place).conversationId, receiptOf(reply));
        return reply;
      },
    };
  };
}

type Reply = ({ ok: true } & Body) | { ok: false; error: { code: Parameters<typeof refusedWith>[0] } };
type Place = { conversationId: string };
type SendInput = { message: { clientId: string } };

async function watchSend({ message }: SendInput, go: () => Promise<Reply>, onDoubt: Tapped['onDoubt']): Promise<Reply> {
  try {
    const reply = await go();
    if (!reply.ok && refusedWith(reply.error.code).result === 'unknown') onDoubt(message.clientId);
    return reply;
  } catch (error) {
    onDoubt(message.clientId);
    throw error;
  }
}

const greeting = ({ sync }: { sync?: SyncResponse | undefined }): Outcome =>
  sync ? { result: 'ok', answer: synced(sync) } : { result: 'unknown', why: 'no sync' };

/** What the client asks by itself. */
function asked(name: string, input: unknown): Operation | undefined {
  if (name === 'sync') return { what: 'sync' };
  if (name !== 'events.after') return undefined;
  const { conversationId: conversation, after: version } = input as Place & { after: number };
  return { what: 'after', conversation, version };
}

async function record(
  operation: Operation,
  go: () => Promise<Reply>,
  { who, recorder }: Pick<Tapped, 'who' | 'recorder'>,
): Promise<Reply> {
  const going = go();
  await recorder.attempt(who, operation, async () => {
    const reply = await going;
    return reply.ok ? { result: 'ok', answer: answerOf(operation, reply) } : refusedWith(reply.error.code);
  });
  return going;
}

const receiptOf = (reply: Reply): Outcome =>
  reply.ok
    ? { result: 'ok', answer: answerOf({ what: 'read', conversation: '', seq: 0 }, reply) }
    : refusedWith(reply.error.code);
