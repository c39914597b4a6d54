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
import { type Operations, reply } from '../operations.ts';

export function memberRoutes(operations: Operations, deps: Deps): void {
  operations.add(memberEndpoints.listMembers, async ({ actor, params, query }) =>
    reply(200, await listMembers(deps, actor, params.id, query)),
  );
  operations.add(memberEndpoints.addMembers, async ({ actor, params, body }) =>
    reply(200, await addMembers(deps, actor, params.id, body)),
  );
  operations.add(memberEndpoints.changeMember, async ({ actor, params, body }) => {
    await changeRole(deps, actor, params.id, params.userId, body.role);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.removeMember, async ({ actor, params }) => {
    await removeMember(deps, actor, params.id, params.userId);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.leaveConversation, async ({ actor, params }) => {
    await leaveConversation(deps, actor, params.id);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.transferOwnership, async ({ actor, params, body }) => {
    await transferOwnership(deps, actor, params.id, body.userId);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.joinChannel, async ({ actor, params }) =>
    reply(200, await joinChannel(deps, actor, params.id)),
  );
  operations.add(memberEndpoints.listInvites, async ({ actor, params }) =>
    reply(200, { items: await listInvites(deps, actor, params.id) }),
  );
  operations.add(memberEndpoints.createInvite, async ({ actor, params, body }) => {
    const { invite, created } = await createInvite(deps, actor, params.id, body);
    return reply(created ? 201 : 200, invite);
  });
  operations.add(memberEndpoints.revokeInvite, async ({ actor, params }) => {
    await revokeInvite(deps, actor, params.id, params.inviteId);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.acceptInvite, async ({ actor, params }) =>
    reply(200, await acceptInvite(deps, actor, params.code)),
  );
  operations.add(memberEndpoints.listBans, async ({ actor, params, query }) =>
    reply(200, await listBans(deps, actor, params.id, query)),
  );
  operations.add(memberEndpoints.banMember, async ({ actor, params }) => {
    await banMember(deps, actor, params.id, params.userId);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.unbanMember, async ({ actor, params }) => {
    await unbanMember(deps, actor, params.id, params.userId);
    return reply(204, undefined);
  });
}
