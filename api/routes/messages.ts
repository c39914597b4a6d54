import { messageEndpoints } from '../../contracts/rest/index.ts';
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

export function messageRoutes(operations: Operations): void {
  operations.add(messageEndpoints.sendMessage, async ({ deps, actor, params, body }) => {
    const { message, repeated } = await sendMessage(deps, actor, params.id, body);
    return reply(repeated ? 200 : 201, { message });
  });
  operations.add(messageEndpoints.listMessages, async ({ deps, actor, params, query }) =>
    reply(200, { items: await listMessages(deps, actor, params.id, query) }),
  );
  operations.add(messageEndpoints.getMessage, async ({ deps, actor, params }) =>
    reply(200, await getMessage(deps, actor, params.id, params.messageId)),
  );
  operations.add(messageEndpoints.editMessage, async ({ deps, actor, params, body }) =>
    reply(200, { message: await editMessage(deps, actor, params.id, params.messageId, body) }),
  );
  operations.add(messageEndpoints.deleteMessage, async ({ deps, actor, params }) =>
    reply(200, { message: await deleteMessage(deps, actor, params.id, params.messageId) }),
  );
  operations.add(messageEndpoints.messageHistory, async ({ deps, actor, params }) =>
    reply(200, { items: await messageHistory(deps, actor, params.id, params.messageId) }),
  );
  operations.add(messageEndpoints.forwardMessage, async ({ deps, actor, params, body }) => {
    const { message, repeated } = await forwardMessage(deps, actor, params.id, params.messageId, body);
    return reply(repeated ? 200 : 201, { message });
  });
  operations.add(messageEndpoints.addReaction, async ({ deps, actor, params: { id, messageId, emoji } }) =>
    reply(200, { message: await setReaction(deps, actor, id, messageId, { emoji, on: true }) }),
  );
  operations.add(messageEndpoints.removeReaction, async ({ deps, actor, params: { id, messageId, emoji } }) =>
    reply(200, { message: await setReaction(deps, actor, id, messageId, { emoji, on: false }) }),
  );
  operations.add(messageEndpoints.listReactions, async ({ deps, actor, params, query }) =>
    reply(200, await listReactions(deps, actor, params.id, params.messageId, query)),
  );
  operations.add(messageEndpoints.pinMessage, async ({ deps, actor, params }) => {
    await pinMessage(deps, actor, params.id, params.messageId, true);
    return reply(204, undefined);
  });
  operations.add(messageEndpoints.unpinMessage, async ({ deps, actor, params }) => {
    await pinMessage(deps, actor, params.id, params.messageId, false);
    return reply(204, undefined);
  });
  operations.add(messageEndpoints.listPins, async ({ deps, actor, params }) =>
    reply(200, { items: await listPins(deps, actor, params.id) }),
  );
  operations.add(messageEndpoints.listReplies, async ({ deps, actor, params, query }) =>
    reply(200, { items: await listReplies(deps, actor, params.id, params.messageId, query) }),
  );
  operations.add(messageEndpoints.updateThread, async ({ deps, actor, params, body }) =>
    reply(200, await updateThread(deps, actor, params.id, params.messageId, body)),
  );
  operations.add(messageEndpoints.listThreads, async ({ deps, actor, params, query }) =>
    reply(200, await listThreads(deps, actor, params.id, query)),
  );
  operations.add(messageEndpoints.messageReceipts, async ({ deps, actor, params }) =>
    reply(200, await messageReceipts(deps, actor, params.id, params.messageId)),
  );
}
