import type { IRouter } from 'express';
import { memberEndpoints } from '../../contracts/rest/index.ts';
import {
  acceptInvite,
  addMembers,
  banMember,
  changeRole,
  createInvite,
  joinChannel,
  leaveConversation,
  listBans,
  listInvites,
  listMembers,
  removeMember,
  revokeInvite,
  transferOwnership,
  unbanMember,
} from '../../domain/conversations/index.ts';
import type { Deps } from '../../domain/deps.ts';
import { type RouteOptions, reply, route } from '../route.ts';

export function memberRoutes(router: IRouter, routes: RouteOptions, deps: Deps): void {
  route(router, memberEndpoints.listMembers, routes, async ({ actor, params, query }) =>
    reply(200, await listMembers(deps, actor, params.id, query)),
  );
  route(router, memberEndpoints.addMembers, routes, async ({ actor, params, body }) =>
    reply(200, await addMembers(deps, actor, params.id, body)),
  );
  route(router, memberEndpoints.changeMember, routes, async ({ actor, params, body }) => {
    await changeRole(deps, actor, params.id, params.userId, body.role);
    return reply(204, undefined);
  });
  route(router, memberEndpoints.removeMember, routes, async ({ actor, params }) => {
    await removeMember(deps, actor, params.id, params.userId);
    return reply(204, undefined);
  });
  route(router, memberEndpoints.leaveConversation, routes, async ({ actor, params }) => {
    await leaveConversation(deps, actor, params.id);
    return reply(204, undefined);
  });
  route(router, memberEndpoints.transferOwnership, routes, async ({ actor, params, body }) => {
    await transferOwnership(deps, actor, params.id, body.userId);
    return reply(204, undefined);
  });
  route(router, memberEndpoints.joinChannel, routes, async ({ actor, params }) =>
    reply(200, await joinChannel(deps, actor, params.id)),
  );
  route(router, memberEndpoints.listInvites, routes, async ({ actor, params }) =>
    reply(200, { items: await listInvites(deps, actor, params.id) }),
  );
  route(router, memberEndpoints.createInvite, routes, async ({ actor, params, body }) =>
    reply(201, await createInvite(deps, actor, params.id, body)),
  );
  route(router, memberEndpoints.revokeInvite, routes, async ({ actor, params }) => {
    await revokeInvite(deps, actor, params.id, params.inviteId);
    return reply(204, undefined);
  });
  route(router, memberEndpoints.acceptInvite, routes, async ({ actor, params }) =>
    reply(200, await acceptInvite(deps, actor, params.code)),
  );
  route(router, memberEndpoints.listBans, routes, async ({ actor, params, query }) =>
    reply(200, await listBans(deps, actor, params.id, query)),
  );
  route(router, memberEndpoints.banMember, routes, async ({ actor, params }) => {
    await banMember(deps, actor, params.id, params.userId);
    return reply(204, undefined);
  });
  route(router, memberEndpoints.unbanMember, routes, async ({ actor, params }) => {
    await unbanMember(deps, actor, params.id, params.userId);
    return reply(204, undefined);
  });
}
