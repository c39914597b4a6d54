import type {
  ClientEventAnswer,
  ClientEventInput,
  ClientEventName,
  OperationRequest,
} from '../../contracts/realtime/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { activityEnded } from '../../domain/attention/index.ts';
import { depsFor, eventRuleOf } from '../../domain/access/index.ts';
import type { Actor, Deps } from '../../domain/deps.ts';
import { DomainError } from '../../domain/errors.ts';
import { deleteMessage, editMessage, sendMessage, setReaction } from '../../domain/messages/index.ts';
import { setTyping } from '../../domain/presence/index.ts';
import { updateReceipts } from '../../domain/receipts/index.ts';
import { eventsAfter, sync } from '../../domain/sync/index.ts';
import type { IoSocket } from '../io.ts';
import { type Listeners, type OnOptions, on } from '../on.ts';
import type { PresenceWatch } from '../presence-watch.ts';

/** The operations of REST, for whoever is signed in. */
export interface AskOperations {
  run(
    actor: Actor,
    operationId: string,
    call: Omit<OperationRequest, 'operation'>,
  ): Promise<ClientEventAnswer<'request'>>;
}

export interface HandlerOptions {
  deps: Deps;
  operations: AskOperations;
  options: OnOptions;
  presence: Pick<PresenceWatch, 'view'>;
  /** Says at once what is done with the socket. */
  confirm: (socket: IoSocket) => Promise<void>;
}

/** Everything that a client may ask over its socket: the same domain functions as REST. */
export function createListeners(node: HandlerOptions): Listeners {
  const { deps, operations, options } = node;
  const forEvent = (name: Exclude<ClientEventName, 'request'>, actor: Actor) => depsFor(deps, actor, eventRuleOf(name));
  return {
    'message.send': on(
      'message.send',
      options,
      (actor, { conversationId, message }) => sendMessage(deps, actor, conversationId, message),
      (input) => deps.storesAreFull() && !isUrgent(input),
    ),
    'message.edit': on('message.edit', options, async (actor, { conversationId, messageId, edit }) => ({
      message: await editMessage(forEvent('message.edit', actor), actor, conversationId, messageId, edit),
    })),
    'message.delete': on('message.delete', options, async (actor, { conversationId, messageId }) => ({
      message: await deleteMessage(forEvent('message.delete', actor), actor, conversationId, messageId),
    })),
    'reaction.set': on('reaction.set', options, async (actor, { conversationId, messageId, ...reaction }) => ({
      message: await setReaction(forEvent('reaction.set', actor), actor, conversationId, messageId, reaction),
    })),
    'receipt.update': on('receipt.update', options, async (actor, { conversationId, receipt }) => ({
      receipt: await updateReceipts(forEvent('receipt.update', actor), actor, conversationId, receipt),
    })),
    'typing.set': on('typing.set', options, async (actor, { conversationId, on: typing }, socket) => {
      if (mayTell(socket, conversationId, typing)) await tellTyping(deps, actor, socket, { conversationId, typing });
      return {};
    }),
    'presence.set': on('presence.set', options, (_actor, input, socket) => setPresence(socket, node, input)),
    sync: on('sync', options, (actor, request) => sync(forEvent('sync', actor), actor, request)),
    'events.after': on('events.after', options, async (actor, { conversationId, after, limit = limits.pageItems }) => ({
      page: await eventsAfter(forEvent('events.after', actor), actor, conversationId, { after, limit }),
    })),
    'session.renew': on('session.renew', options, async (actor, { token }, socket) => {
      const { userId, sessionId, expiresAt, kid } = deps.tokens.verify(token);
      const same = userId === actor.userId && sessionId === actor.sessionId;
      if (!same) {
        throw new DomainError('forbidden', { detail: 'The token is of another session; connect anew with it.' });
      }
      Object.assign(socket.data, { expiresAt, kid });
      return { accessTokenExpiresAt: expiresAt.toISOString() };
    }),
    request: on('request', options, (actor, { operation, ...call }) => operations.run(actor, operation, call)),
  };
}

/** Of what was not read yet; urgent ones have lanes of their own. */
const isUrgent = (input: unknown) =>
  (input as { message?: { priority?: unknown } | null } | null | undefined)?.message?.priority === 'urgent';

/** Where somebody stops being active on their last device, what waits for them waits no longer. */
async function setPresence(
  socket: IoSocket,
  { deps, presence, confirm }: HandlerOptions,
  { state, viewing }: ClientEventInput<'presence.set'>,
): Promise<ClientEventAnswer<'presence.set'>> {
  const wasActive = socket.data.connection.state === 'active';
  // What one may not look at is not looked at.
  socket.data.connection = { ...socket.data.connection, state, viewing: null };
  try {
    const presences = await presence.view(socket, viewing);
    socket.data.connection.viewing = viewing;
    return { presences };
  } finally {
    await confirm(socket);
    if (wasActive && state !== 'active') await activityEnded(deps, socket.data.actor);
  }
}

/** A hint that was refused is none: the next one is refused as well, and not taken as told. */
async function tellTyping(
  deps: Deps,
  actor: Actor,
  { data }: IoSocket,
  { conversationId, typing }: { conversationId: ConversationId; typing: boolean },
): Promise<void> {
  try {
    await setTyping(depsFor(deps, actor, eventRuleOf('typing.set')), actor, conversationId, typing);
  } catch (error) {
    delete data.typing;
    throw error;
  }
}

/** Milliseconds between two hints of one socket about one conversation; what comes sooner is taken and not told. */
const typingGapMs = 2_000;

function mayTell({ data }: IoSocket, conversationId: string, on: boolean): boolean {
  const { typing } = data;
  const now = Date.now();
  if (typing?.conversationId === conversationId && typing.on === on && now - typing.at < typingGapMs) return false;
  data.typing = { conversationId, on, at: now };
  return true;
}
