export { type CreatedConversation, createConversation } from './create-conversation.ts';
export { presentConversation, presentMember } from './present.ts';
export { conversationIds, getConversation, listConversations, listMembers, updateMyMembership } from './read.ts';
