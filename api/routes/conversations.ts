import type { IRouter } from 'express';
import { conversationEndpoints } from '../../contracts/rest/index.ts';
import {
  createConversation,
  deleteConversation,
  getConversation,
  listChannels,
  listConversations,
  updateConversation,
  updateMyMembership,
} from '../../domain/conversations/index.ts';
import type { Deps } from '../../domain/deps.ts';
import { type RouteOptions, reply, route } from '../route.ts';

export function conversationRoutes(router: IRouter, routes: RouteOptions, deps: Deps): void {
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
  route(router, conversationEndpoints.updateConversation, routes, async ({ actor, params, body }) =>
    reply(200, await updateConversation(deps, actor, params.id, body)),
  );
  route(router, conversationEndpoints.deleteConversation, routes, async ({ actor, params }) => {
    await deleteConversation(deps, actor, params.id);
    return reply(204, undefined);
  });
  route(router, conversationEndpoints.updateMyMembership, routes, async ({ actor, params, body }) =>
    reply(200, await updateMyMembership(deps, actor, params.id, body)),
  );
  route(router, conversationEndpoints.listChannels, routes, async ({ actor, query }) =>
    reply(200, await listChannels(deps, actor, query)),
  );
}
