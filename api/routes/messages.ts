import type { IRouter } from 'express';
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
import { type RouteOptions, reply, route } from '../route.ts';

export function messageRoutes(router: IRouter, routes: RouteOptions, deps: Deps): void {
  route(router, messageEndpoints.sendMessage, routes, async ({ actor, params, body }) => {
    const { message, repeated } = await sendMessage(deps, actor, params.id, body);
    return reply(repeated ? 200 : 201, { message });
  });
  route(router, messageEndpoints.listMessages, routes, async ({ actor, params, query }) =>
    reply(200, { items: await listMessages(deps, actor, params.id, query) }),
  );
  route(router, messageEndpoints.getMessage, routes, async ({ actor, params }) =>
    reply(200, await getMessage(deps, actor, params.id, params.messageId)),
  );
  route(router, messageEndpoints.editMessage, routes, async ({ actor, params, body }) =>
    reply(200, { message: await editMessage(deps, actor, params.id, params.messageId, body) }),
  );
  route(router, messageEndpoints.deleteMessage, routes, async ({ actor, params }) =>
    reply(200, { message: await deleteMessage(deps, actor, params.id, params.messageId) }),
  );
  route(router, messageEndpoints.messageHistory, routes, async ({ actor, params }) =>
    reply(200, { items: await messageHistory(deps, actor, params.id, params.messageId) }),
  );
  route(router, messageEndpoints.forwardMessage, routes, async ({ actor, params, body }) => {
    const { message, repeated } = await forwardMessage(deps, actor, params.id, params.messageId, body);
    return reply(repeated ? 200 : 201, { message });
  });
  route(router, messageEndpoints.addReaction, routes, async ({ actor, params: { id, messageId, emoji } }) =>
    reply(200, { message: await setReaction(deps, actor, id, messageId, { emoji, on: true }) }),
  );
  route(router, messageEndpoints.removeReaction, routes, async ({ actor, params: { id, messageId, emoji } }) =>
    reply(200, { message: await setReaction(deps, actor, id, messageId, { emoji, on: false }) }),
  );
  route(router, messageEndpoints.listReactions, routes, async ({ actor, params, query }) =>
    reply(200, await listReactions(deps, actor, params.id, params.messageId, query)),
  );
  route(router, messageEndpoints.pinMessage, routes, async ({ actor, params }) => {
    await pinMessage(deps, actor, params.id, params.messageId, true);
    return reply(204, undefined);
  });
  route(router, messageEndpoints.unpinMessage, routes, async ({ actor, params }) => {
    await pinMessage(deps, actor, params.id, params.messageId, false);
    return reply(204, undefined);
  });
  route(router, messageEndpoints.listPins, routes, async ({ actor, params }) =>
    reply(200, { items: await listPins(deps, actor, params.id) }),
  );
  route(router, messageEndpoints.listReplies, routes, async ({ actor, params, query }) =>
    reply(200, { items: await listReplies(deps, actor, params.id, params.messageId, query) }),
  );
  route(router, messageEndpoints.updateThread, routes, async ({ actor, params, body }) =>
    reply(200, await updateThread(deps, actor, params.id, params.messageId, body)),
  );
  route(router, messageEndpoints.listThreads, routes, async ({ actor, params, query }) =>
    reply(200, await listThreads(deps, actor, params.id, query)),
  );
  route(router, messageEndpoints.messageReceipts, routes, async ({ actor, params }) =>
    reply(200, await messageReceipts(deps, actor, params.id, params.messageId)),
  );
}
