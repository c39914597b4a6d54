import { z } from 'zod';
import {
  Level,
  DeliveryState,
  Instant,
  Message,
  MessageEdit,
  MessageRevision,
  NewMessage,
  Seq,
  UnreadCounts,
  pageLimit,
  queryInteger,
} from '../entities/index.ts';
import { ClientId, ConversationId, MessageId, UserId } from '../ids.ts';
import { conversationParams, page, pageOf } from './conversations.ts';
import { endpoint } from './endpoint.ts';

const messageParams = z.strictObject({ id: ConversationId, messageId: MessageId });
const sent = z.strictObject({ message: Message });

export const MessagesQuery = z
  .strictObject({
    before: queryInteger.optional(),
    after: queryInteger.optional(),
    around: queryInteger.optional(),
    limit: pageLimit(50),
  })
  .refine((query) => [query.before, query.after, query.around].filter((bound) => bound !== undefined).length <= 1, {
    message: 'give one of before, after and around',
    path: ['before'],
  });
export type MessagesQuery = z.infer<typeof MessagesQuery>;

/** One emoji, in a path percent-encoded. It is normalised: with or without its variation selector it is the same. */
export const Emoji = z.string().min(1).max(40);

export const ReactionOf = z.strictObject({ emoji: z.string(), userId: UserId, at: Instant }).meta({ id: 'ReactionOf' });

/**
 * A thread as it is to me: its first message, and what stands in it after my read mark there, without my own messages
 * and deleted ones.
 */
export const FollowedThread = z
  .strictObject({
    root: Message,
    following: z.boolean(),
    /** Of this thread alone; null: as in the conversation. */
    level: Level.nullable(),
    readSeq: Seq,
    ...UnreadCounts.shape,
  })
  .meta({ id: 'FollowedThread' });
export type FollowedThread = z.infer<typeof FollowedThread>;

export const ThreadPatch = z
  .strictObject({
    following: z.boolean().optional(),
    level: Level.nullable().optional(),
    readSeq: Seq.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, { message: 'names nothing to change' })
  .refine(({ following, level }) => following !== false || level !== 'all', {
    message: 'is wanted whole, so it is followed: leave `following` out, or ask for less',
    path: ['level'],
  })
  .meta({
    id: 'ThreadPatch',
    description:
      'Who asks for all of a thread (`level`) follows it; who follows it no longer asks for all of it no longer.',
  });
export type ThreadPatch = z.infer<typeof ThreadPatch>;

export const Forward = z.strictObject({ clientId: ClientId, conversationId: ConversationId }).meta({ id: 'Forward' });
export type Forward = z.infer<typeof Forward>;

export const messageEndpoints = {
  sendMessage: endpoint({
    operationId: 'sendMessage',
    method: 'post',
    path: '/v1/conversations/{id}/messages',
    tag: 'Messages',
    summary:
      'Sends a message; a repeat with the same clientId and content answers 200 with the first. Mentions by name are of members, in a thread of those who can read it (`not_a_member`, `out_of_reach` in `errors`)',
    auth: 'user',
    params: conversationParams,
    body: NewMessage,
    success: { 201: sent, 200: sent },
    errors: ['not_found', 'forbidden', 'urgent_limit', 'idempotency_conflict', 'outcome_unknown'],
  }),
  listMessages: endpoint({
    operationId: 'listMessages',
    method: 'get',
    path: '/v1/conversations/{id}/messages',
    tag: 'Messages',
    summary: 'A page of the history by seq, oldest first; without a bound the newest page',
    auth: 'user',
    params: conversationParams,
    query: MessagesQuery,
    success: { 200: z.strictObject({ items: z.array(Message) }) },
    errors: ['not_found'],
  }),
  getMessage: endpoint({
    operationId: 'getMessage',
    method: 'get',
    path: '/v1/conversations/{id}/messages/{messageId}',
    tag: 'Messages',
    summary: 'One message',
    auth: 'user',
    params: messageParams,
    success: { 200: Message },
    errors: ['not_found'],
  }),
  editMessage: endpoint({
    operationId: 'editMessage',
    method: 'patch',
    path: '/v1/conversations/{id}/messages/{messageId}',
    tag: 'Messages',
    summary:
      'Says something else instead; what it said before stands in its history. What was forwarded cannot be edited (`forbidden`): write a message of your own, or delete it',
    auth: 'user',
    params: messageParams,
    body: MessageEdit,
    success: { 200: sent },
    errors: ['not_found', 'forbidden', 'limit_reached', 'idempotency_conflict'],
  }),
  deleteMessage: endpoint({
    operationId: 'deleteMessage',
    method: 'delete',
    path: '/v1/conversations/{id}/messages/{messageId}',
    tag: 'Messages',
    summary: 'Deletes a message for everyone: its place stays, its text is gone, earlier versions too',
    auth: 'user',
    params: messageParams,
    success: { 200: sent },
    errors: ['not_found', 'forbidden'],
  }),
  messageHistory: endpoint({
    operationId: 'messageHistory',
    method: 'get',
    path: '/v1/conversations/{id}/messages/{messageId}/history',
    tag: 'Messages',
    summary: 'What the message has said, oldest first; the last is what it says now',
    auth: 'user',
    params: messageParams,
    success: { 200: z.strictObject({ items: z.array(MessageRevision) }) },
    errors: ['not_found'],
  }),
  forwardMessage: endpoint({
    operationId: 'forwardMessage',
    method: 'post',
    path: '/v1/conversations/{id}/messages/{messageId}/forward',
    tag: 'Messages',
    summary:
      'Sends the message on to another conversation, with by whom and when it was first written. It is a message of its own, and stays when that one is deleted',
    auth: 'user',
    params: messageParams,
    body: Forward,
    success: { 201: sent, 200: sent },
    errors: ['not_found', 'forbidden', 'idempotency_conflict', 'outcome_unknown'],
  }),
  addReaction: endpoint({
    operationId: 'addReaction',
    method: 'put',
    path: '/v1/conversations/{id}/messages/{messageId}/reactions/{emoji}',
    tag: 'Reactions',
    summary: 'Reacts with an emoji; doing it twice changes nothing',
    auth: 'user',
    params: z.strictObject({ ...messageParams.shape, emoji: Emoji }),
    success: { 200: sent },
    errors: ['not_found', 'forbidden', 'limit_reached'],
  }),
  removeReaction: endpoint({
    operationId: 'removeReaction',
    method: 'delete',
    path: '/v1/conversations/{id}/messages/{messageId}/reactions/{emoji}',
    tag: 'Reactions',
    summary: 'Takes a reaction of mine back, also where I may only read by now',
    auth: 'user',
    params: z.strictObject({ ...messageParams.shape, emoji: Emoji }),
    success: { 200: sent },
    errors: ['not_found', 'forbidden'],
  }),
  listReactions: endpoint({
    operationId: 'listReactions',
    method: 'get',
    path: '/v1/conversations/{id}/messages/{messageId}/reactions',
    tag: 'Reactions',
    summary: 'Who has reacted, and with what',
    auth: 'user',
    params: messageParams,
    query: page(100),
    success: { 200: pageOf(ReactionOf) },
    errors: ['not_found'],
  }),
  pinMessage: endpoint({
    operationId: 'pinMessage',
    method: 'put',
    path: '/v1/conversations/{id}/messages/{messageId}/pin',
    tag: 'Pins',
    summary: 'Pins a message; doing it twice changes nothing',
    auth: 'user',
    params: messageParams,
    success: { 204: null },
    errors: ['not_found', 'forbidden', 'limit_reached'],
  }),
  unpinMessage: endpoint({
    operationId: 'unpinMessage',
    method: 'delete',
    path: '/v1/conversations/{id}/messages/{messageId}/pin',
    tag: 'Pins',
    summary: 'Takes a pin away',
    auth: 'user',
    params: messageParams,
    success: { 204: null },
    errors: ['not_found', 'forbidden'],
  }),
  listPins: endpoint({
    operationId: 'listPins',
    method: 'get',
    path: '/v1/conversations/{id}/pins',
    tag: 'Pins',
    summary: 'Pinned messages, the latest pinned first',
    auth: 'user',
    params: conversationParams,
    success: { 200: z.strictObject({ items: z.array(Message) }) },
    errors: ['not_found'],
  }),
  listReplies: endpoint({
    operationId: 'listReplies',
    method: 'get',
    path: '/v1/conversations/{id}/messages/{messageId}/replies',
    tag: 'Threads',
    summary: 'A page of the thread below a message by seq, oldest first',
    auth: 'user',
    params: messageParams,
    query: MessagesQuery,
    success: { 200: z.strictObject({ items: z.array(Message) }) },
    errors: ['not_found'],
  }),
  updateThread: endpoint({
    operationId: 'updateThread',
    method: 'patch',
    path: '/v1/conversations/{id}/messages/{messageId}/thread',
    tag: 'Threads',
    summary: 'Follows the thread or not, and moves my read mark in it forward',
    auth: 'user',
    params: messageParams,
    body: ThreadPatch,
    success: { 200: FollowedThread },
    errors: ['not_found'],
  }),
  listThreads: endpoint({
    operationId: 'listThreads',
    method: 'get',
    path: '/v1/conversations/{id}/threads',
    tag: 'Threads',
    summary: 'Threads that I follow, the latest written in first, each with what I have not read',
    auth: 'user',
    params: conversationParams,
    query: page(50),
    success: { 200: pageOf(FollowedThread) },
    errors: ['not_found'],
  }),
  messageReceipts: endpoint({
    operationId: 'messageReceipts',
    method: 'get',
    path: '/v1/conversations/{id}/messages/{messageId}/receipts',
    tag: 'Read state',
    summary: 'How many have the message and have read it, and who, where the conversation is small enough',
    auth: 'user',
    params: messageParams,
    success: { 200: DeliveryState },
    errors: ['not_found', 'forbidden'],
  }),
};
