import { limits } from '../../contracts/limits.ts';
import type { Deps } from '../../domain/deps.ts';
import { DomainError } from '../../domain/errors.ts';
import { deleteMessage, editMessage, sendMessage, setReaction } from '../../domain/messages/index.ts';
import { updateReceipts } from '../../domain/receipts/index.ts';
import { eventsAfter, sync } from '../../domain/sync/index.ts';
import type { IoSocket } from '../io.ts';
import { type OnOptions, on } from '../on.ts';

/** Everything that a client may ask over its socket: the same domain functions as REST. */
export function registerHandlers(socket: IoSocket, deps: Deps, options: OnOptions): void {
  on(socket, 'message.send', options, (actor, { conversationId, message }) =>
    sendMessage(deps, actor, conversationId, message),
  );
  on(socket, 'message.edit', options, async (actor, { conversationId, messageId, edit }) => ({
    message: await editMessage(deps, actor, conversationId, messageId, edit),
  }));
  on(socket, 'message.delete', options, async (actor, { conversationId, messageId }) => ({
    message: await deleteMessage(deps, actor, conversationId, messageId),
  }));
  on(socket, 'reaction.set', options, async (actor, { conversationId, messageId, ...reaction }) => ({
    message: await setReaction(deps, actor, conversationId, messageId, reaction),
  }));
  on(socket, 'receipt.update', options, async (actor, { conversationId, receipt }) => ({
    receipt: await updateReceipts(deps, actor, conversationId, receipt),
  }));
  on(socket, 'sync', options, (actor, request) => sync(deps, actor, request));
  on(socket, 'events.after', options, async (actor, { conversationId, after, limit = limits.pageItems }) => ({
    page: await eventsAfter(deps, actor, conversationId, { after, limit }),
  }));
  on(socket, 'session.renew', options, async (actor, { token }) => {
    const { userId, sessionId, expiresAt } = deps.tokens.verify(token);
    const same = userId === actor.userId && sessionId === actor.sessionId;
    if (!same) throw new DomainError('forbidden', { detail: 'The token is of another session; connect anew with it.' });
    socket.data.expiresAt = expiresAt;
    return { accessTokenExpiresAt: expiresAt.toISOString() };
  });
}
