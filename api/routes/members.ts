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
import { type Operations, reply } from '../operations.ts';

export function memberRoutes(operations: Operations): void {
  operations.add(memberEndpoints.listMembers, async ({ deps, actor, params, query }) =>
    reply(200, await listMembers(deps, actor, params.id, query)),
  );
  operations.add(memberEndpoints.addMembers, async ({ deps, actor, params, body }) =>
    reply(200, await addMembers(deps, actor, params.id, body)),
  );
  operations.add(memberEndpoints.changeMember, async ({ deps, actor, params, body }) => {
    await changeRole(deps, actor, params.id, params.userId, body.role);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.removeMember, async ({ deps, actor, params }) => {
    await removeMember(deps, actor, params.id, params.userId);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.leaveConversation, async ({ deps, actor, params }) => {
    await leaveConversation(deps, actor, params.id);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.transferOwnership, async ({ deps, actor, params, body }) => {
    await transferOwnership(deps, actor, params.id, body.userId);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.joinChannel, async ({ deps, actor, params }) =>
    reply(200, await joinChannel(deps, actor, params.id)),
  );
  operations.add(memberEndpoints.listInvites, async ({ deps, actor, params }) =>
    reply(200, { items: await listInvites(deps, actor, params.id) }),
  );
  operations.add(memberEndpoints.createInvite, async ({ deps, actor, params, body }) => {
    const { invite, created } = await createInvite(deps, actor, params.id, body);
    return reply(created ? 201 : 200, invite);
  });
  operations.add(memberEndpoints.revokeInvite, async ({ deps, actor, params }) => {
    await revokeInvite(deps, actor, params.id, params.inviteId);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.acceptInvite, async ({ deps, actor, params }) =>
    reply(200, await acceptInvite(deps, actor, params.code)),
  );
  operations.add(memberEndpoints.listBans, async ({ deps, actor, params, query }) =>
    reply(200, await listBans(deps, actor, params.id, query)),
  );
  operations.add(memberEndpoints.banMember, async ({ deps, actor, params }) => {
    await banMember(deps, actor, params.id, params.userId);
    return reply(204, undefined);
  });
  operations.add(memberEndpoints.unbanMember, async ({ deps, actor, params }) => {
    await unbanMember(deps, actor, params.id, params.userId);
    return reply(204, undefined);
  });
}
