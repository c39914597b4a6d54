import type { IRouter } from 'express';
import { conversationEndpoints } from '../../contracts/rest/index.ts';
import {
  createConversation,
  getConversation,
  listConversations,
  listMembers,
  updateMyMembership,
} from '../../domain/conversations/index.ts';
import type { Deps } from '../../domain/deps.ts';
import { getMessage, listMessages, sendMessage } from '../../domain/messages/index.ts';
import { updateReceipts } from '../../domain/receipts/index.ts';
import { eventsAfter, sync } from '../../domain/sync/index.ts';
import { type RouteOptions, reply, route } from '../route.ts';

export function conversationRoutes(router: IRouter, routes: RouteOptions, deps: Deps): void {
  // The busiest first: Express looks at its routes in the order of their mounting.
  route(router, conversationEndpoints.sendMessage, routes, async ({ actor, params, body }) => {
    const { message, repeated } = await sendMessage(deps, actor, params.id, body);
    return reply(repeated ? 200 : 201, { message });
  });
  route(router, conversationEndpoints.updateReceipts, routes, async ({ actor, params, body }) =>
    reply(200, await updateReceipts(deps, actor, params.id, body)),
  );
  route(router, conversationEndpoints.listMessages, routes, async ({ actor, params, query }) =>
    reply(200, { items: await listMessages(deps, actor, params.id, query) }),
  );
  route(router, conversationEndpoints.eventsAfter, routes, async ({ actor, params, query }) =>
    reply(200, await eventsAfter(deps, actor, params.id, query)),
  );
  route(router, conversationEndpoints.sync, routes, async ({ actor, body }) =>
    reply(200, await sync(deps, actor, body)),
  );
  route(router, conversationEndpoints.getMessage, routes, async ({ actor, params }) =>
    reply(200, await getMessage(deps, actor, params.id, params.messageId)),
  );
  route(router, conversationEndpoints.createConversation, routes, async ({ actor, body }) => {
    const { conversation, created } = await createConversation(deps, actor, body);
    return reply(created ? 201 : 200, conversation);
  });
  route(router, conversationEndpoints.listConversations, routes, async ({ actor, query }) =>
    reply(200, await listConversations(deps, actor, query)),
  );
  route(router, conversationEndpoints.getConversation, routes, async ({ actor, params }) =>
    reply(200, await getConversation(deps, actor, params.id)),
  );
  route(router, conversationEndpoints.listMembers, routes, async ({ actor, params, query }) =>
    reply(200, await listMembers(deps, actor, params.id, query)),
  );
  route(router, conversationEndpoints.updateMyMembership, routes, async ({ actor, params, body }) =>
    reply(200, await updateMyMembership(deps, actor, params.id, body)),
  );
}
