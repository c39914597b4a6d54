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
import { type Operations, reply } from '../operations.ts';

export function conversationRoutes(operations: Operations): void {
  operations.add(conversationEndpoints.createConversation, async ({ deps, actor, body }) => {
    const { conversation, created } = await createConversation(deps, actor, body);
    return reply(created ? 201 : 200, conversation);
  });
  operations.add(conversationEndpoints.listConversations, async ({ deps, actor, query }) =>
    reply(200, await listConversations(deps, actor, query)),
  );
  operations.add(conversationEndpoints.getConversation, async ({ deps, actor, params }) => {
    const conversation = await getConversation(deps, actor, params.id);
    return reply(200, conversation, conversation.version);
  });
  operations.add(conversationEndpoints.updateConversation, async ({ deps, actor, params, body, ifMatch }) => {
    const conversation = await updateConversation(deps, actor, params.id, body, ifMatch);
    return reply(200, conversation, conversation.version);
  });
  operations.add(conversationEndpoints.deleteConversation, async ({ deps, actor, params }) => {
    await deleteConversation(deps, actor, params.id);
    return reply(204, undefined);
  });
  operations.add(conversationEndpoints.updateMyMembership, async ({ deps, actor, params, body }) =>
    reply(200, await updateMyMembership(deps, actor, params.id, body)),
  );
  operations.add(conversationEndpoints.listChannels, async ({ deps, actor, query }) =>
    reply(200, await listChannels(deps, actor, query)),
  );
}
