import { messageEndpoints } from '../../contracts/rest/index.ts';
import type { Deps } from '../../domain/deps.ts';
import {
  deleteMessage,
  editMessage,
  forwardMessage,
  getMessage,
  listMessages,
  listPins,
  listReactions,
  listReplies,
  listThreads,
  messageHistory,
  messageReceipts,
  pinMessage,
  sendMessage,
  setReaction,
  updateThread,
} from '../../domain/messages/index.ts';
import { type Operations, reply } from '../operations.ts';

export function messageRoutes(operations: Operations, deps: Deps): void {
  operations.add(messageEndpoints.sendMessage, async ({ actor, params, body }) => {
    const { message, repeated } = await sendMessage(deps, actor, params.id, body);
    return reply(repeated ? 200 : 201, { message });
  });
  operations.add(messageEndpoints.listMessages, async ({ actor, params, query }) =>
    reply(200, { items: await listMessages(deps, actor, params.id, query) }),
  );
  operations.add(messageEndpoints.getMessage, async ({ actor, params }) =>
    reply(200, await getMessage(deps, actor, params.id, params.messageId)),
  );
  operations.add(messageEndpoints.editMessage, async ({ actor, params, body }) =>
    reply(200, { message: await editMessage(deps, actor, params.id, params.messageId, body) }),
  );
  operations.add(messageEndpoints.deleteMessage, async ({ actor, params }) =>
    reply(200, { message: await deleteMessage(deps, actor, params.id, params.messageId) }),
  );
  operations.add(messageEndpoints.messageHistory, async ({ actor, params }) =>
    reply(200, { items: await messageHistory(deps, actor, params.id, params.messageId) }),
  );
  operations.add(messageEndpoints.forwardMessage, async ({ actor, params, body }) => {
    const { message, repeated } = await forwardMessage(deps, actor, params.id, params.messageId, body);
    return reply(repeated ? 200 : 201, { message });
  });
  operations.add(messageEndpoints.addReaction, async ({ actor, params: { id, messageId, emoji } }) =>
    reply(200, { message: await setReaction(deps, actor, id, messageId, { emoji, on: true }) }),
  );
  operations.add(messageEndpoints.removeReaction, async ({ actor, params: { id, messageId, emoji } }) =>
    reply(200, { message: await setReaction(deps, actor, id, messageId, { emoji, on: false }) }),
  );
  operations.add(messageEndpoints.listReactions, async ({ actor, params, query }) =>
    reply(200, await listReactions(deps, actor, params.id, params.messageId, query)),
  );
  operations.add(messageEndpoints.pinMessage, async ({ actor, params }) => {
    await pinMessage(deps, actor, params.id, params.messageId, true);
    return reply(204, undefined);
  });
  operations.add(messageEndpoints.unpinMessage, async ({ actor, params }) => {
    await pinMessage(deps, actor, params.id, params.messageId, false);
    return reply(204, undefined);
  });
  operations.add(messageEndpoints.listPins, async ({ actor, params }) =>
    reply(200, { items: await listPins(deps, actor, params.id) }),
  );
  operations.add(messageEndpoints.listReplies, async ({ actor, params, query }) =>
    reply(200, { items: await listReplies(deps, actor, params.id, params.messageId, query) }),
  );
  operations.add(messageEndpoints.updateThread, async ({ actor, params, body }) =>
    reply(200, await updateThread(deps, actor, params.id, params.messageId, body)),
  );
  operations.add(messageEndpoints.listThreads, async ({ actor, params, query }) =>
    reply(200, await listThreads(deps, actor, params.id, query)),
  );
  operations.add(messageEndpoints.messageReceipts, async ({ actor, params }) =>
    reply(200, await messageReceipts(deps, actor, params.id, params.messageId)),
  );
}
