export { banMember, listBans, unbanMember } from './bans.ts';
export { type CreatedConversation, createConversation } from './create-conversation.ts';
export { directKey } from './direct-key.ts';
export { createInvite, listInvites, revokeInvite } from './invites.ts';
export { acceptInvite, joinChannel } from './join.ts';
export { addMembers, changeRole, leaveConversation, removeMember, transferOwnership } from './members.ts';
export {
  membershipChanged,
  presentChannels,
  presentConversation,
  pairTold,
  presentMember,
  presentWatermarks,
  tellsReceipts,
} from './present.ts';
export {
  getConversation,
  listChannels,
  listConversations,
  listMembers,
  updateMyMembership,
} from './read.ts';
export { recordChange } from './record-change.ts';
export { deleteConversation, updateConversation } from './settings.ts';
export { stepDown } from './step-down.ts';
