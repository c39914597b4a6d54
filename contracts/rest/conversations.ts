import { z } from 'zod';
import {
  Conversation,
  EventsAfter,
  Member,
  Message,
  MyMembership,
  MyMembershipPatch,
  NewConversation,
  NewMessage,
  Receipt,
  Seq,
  SyncRequest,
  SyncResponse,
  Version,
  pageLimit,
  queryInteger,
} from '../entities/index.ts';
import { ConversationId, MessageId } from '../ids.ts';
import { limits } from '../limits.ts';
import { endpoint } from './endpoint.ts';

const conversationParams = z.strictObject({ id: ConversationId });

/** Where a member's devices have come to. `readSeq` implies `deliveredSeq`. */
export const ReceiptUpdate = z
  .strictObject({ deliveredSeq: Seq.optional(), readSeq: Seq.optional() })
  .refine((update) => update.deliveredSeq !== undefined || update.readSeq !== undefined, {
    message: 'give deliveredSeq, readSeq or both',
  })
  .meta({ id: 'ReceiptUpdate' });
export type ReceiptUpdate = z.infer<typeof ReceiptUpdate>;

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

export const conversationEndpoints = {
  createConversation: endpoint({
    operationId: 'createConversation',
    method: 'post',
    path: '/v1/conversations',
    tag: 'Conversations',
    summary: 'Makes a group, or finds or makes the direct conversation of a pair',
    auth: 'user',
    body: NewConversation,
    success: { 201: Conversation, 200: Conversation },
    errors: ['not_found', 'idempotency_conflict'],
  }),
  listConversations: endpoint({
    operationId: 'listConversations',
    method: 'get',
    path: '/v1/conversations',
    tag: 'Conversations',
    summary: 'My conversations, the latest active first',
    auth: 'user',
    query: z.strictObject({ limit: pageLimit(50), cursor: z.string().max(200).optional() }),
    success: { 200: z.strictObject({ items: z.array(Conversation), nextCursor: z.string().nullable() }) },
    errors: [],
  }),
  getConversation: endpoint({
    operationId: 'getConversation',
    method: 'get',
    path: '/v1/conversations/{id}',
    tag: 'Conversations',
    summary: 'One conversation',
    auth: 'user',
    params: conversationParams,
    success: { 200: Conversation },
    errors: ['not_found'],
  }),
  listMembers: endpoint({
    operationId: 'listMembers',
    method: 'get',
    path: '/v1/conversations/{id}/members',
    tag: 'Conversations',
    summary: 'Who belongs to it, with their watermarks',
    auth: 'user',
    params: conversationParams,
    query: z.strictObject({ limit: pageLimit(100), cursor: z.string().max(200).optional() }),
    success: { 200: z.strictObject({ items: z.array(Member), nextCursor: z.string().nullable() }) },
    errors: ['not_found'],
  }),
  updateMyMembership: endpoint({
    operationId: 'updateMyMembership',
    method: 'patch',
    path: '/v1/conversations/{id}/me',
    tag: 'Notification settings',
    summary: 'Changes how this conversation calls for my attention',
    auth: 'user',
    params: conversationParams,
    body: MyMembershipPatch,
    success: { 200: MyMembership },
    errors: ['not_found'],
  }),
  sendMessage: endpoint({
    operationId: 'sendMessage',
    method: 'post',
    path: '/v1/conversations/{id}/messages',
    tag: 'Messages',
    summary: 'Sends a message; a repeat with the same clientId and content answers 200 with the first',
    auth: 'user',
    params: conversationParams,
    body: NewMessage,
    success: { 201: z.strictObject({ message: Message }), 200: z.strictObject({ message: Message }) },
    errors: ['not_found', 'forbidden', 'idempotency_conflict', 'outcome_unknown'],
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
    params: z.strictObject({ id: ConversationId, messageId: MessageId }),
    success: { 200: Message },
    errors: ['not_found'],
  }),
  updateReceipts: endpoint({
    operationId: 'updateReceipts',
    method: 'put',
    path: '/v1/conversations/{id}/receipts',
    tag: 'Read state',
    summary: 'Moves my delivered and read watermarks forward; a lower number changes nothing',
    auth: 'user',
    params: conversationParams,
    body: ReceiptUpdate,
    success: { 200: Receipt },
    errors: ['not_found'],
  }),
  eventsAfter: endpoint({
    operationId: 'eventsAfter',
    method: 'get',
    path: '/v1/conversations/{id}/events',
    tag: 'Sync',
    summary: 'The log after a version, or a snapshot when the distance is over the limit',
    auth: 'user',
    params: conversationParams,
    query: z.strictObject({ after: queryInteger.pipe(Version), limit: pageLimit(limits.pageItems) }),
    success: { 200: EventsAfter },
    errors: ['not_found'],
  }),
  sync: endpoint({
    operationId: 'sync',
    method: 'post',
    path: '/v1/sync',
    tag: 'Sync',
    summary: 'Everything that moved since the versions that I hold, over all my conversations',
    auth: 'user',
    body: SyncRequest,
    success: { 200: SyncResponse },
    errors: [],
  }),
};
