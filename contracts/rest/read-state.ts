import { z } from 'zod';
import {
  Draft,
  EventsAfter,
  Instant,
  MyMembership,
  Receipt,
  Seq,
  SyncRequest,
  SyncResponse,
  UnreadCounts,
  Version,
  pageLimit,
  queryInteger,
  text,
} from '../entities/index.ts';
import { ConversationId, MessageId } from '../ids.ts';
import { limits } from '../limits.ts';
import { conversationParams } from './conversations.ts';
import { endpoint } from './endpoint.ts';

/** Where a member's devices have come to. `readSeq` implies `deliveredSeq`. */
export const ReceiptUpdate = z
  .strictObject({ deliveredSeq: Seq.optional(), readSeq: Seq.optional() })
  .refine((update) => update.deliveredSeq !== undefined || update.readSeq !== undefined, {
    message: 'give deliveredSeq, readSeq or both',
  })
  .meta({ id: 'ReceiptUpdate' });
export type ReceiptUpdate = z.infer<typeof ReceiptUpdate>;

/** What is unread in all: computed when it is asked for, never counted by hand. */
export const UnreadOverview = z
  .strictObject({
    ...UnreadCounts.shape,
    /** In the threads that I follow, which `unread` and `mentions` leave out. */
    threads: UnreadCounts,
    /** The number on the app's icon: conversations with something unread, in such a thread too, that are not muted. */
    badge: z.int().nonnegative(),
    conversations: z.array(
      z.strictObject({
        conversationId: ConversationId,
        ...UnreadCounts.shape,
        threads: UnreadCounts,
        unreadMark: Seq.nullable(),
      }),
    ),
  })
  .meta({ id: 'UnreadOverview' });
export type UnreadOverview = z.infer<typeof UnreadOverview>;

export const DraftInput = z
  .strictObject({ text: text(limits.messageTextLength), replyTo: MessageId.optional() })
  .meta({ id: 'DraftInput' });
export type DraftInput = z.infer<typeof DraftInput>;

export const readStateEndpoints = {
  updateReceipts: endpoint({
    operationId: 'updateReceipts',
    method: 'put',
    path: '/v1/conversations/{id}/receipts',
    tag: 'Read state',
    summary: 'Moves my delivered and read watermarks forward, never back; reading up to my unread mark takes that away',
    auth: 'user',
    params: conversationParams,
    body: ReceiptUpdate,
    success: { 200: Receipt },
    errors: ['not_found'],
  }),
  setUnreadMark: endpoint({
    operationId: 'setUnreadMark',
    method: 'put',
    path: '/v1/conversations/{id}/unread-mark',
    tag: 'Read state',
    summary: 'Marks the conversation as unread from a message on, for me alone; null takes the mark away',
    auth: 'user',
    params: conversationParams,
    body: z.strictObject({ seq: Seq.nullable() }),
    success: { 200: MyMembership },
    errors: ['not_found'],
  }),
  getUnread: endpoint({
    operationId: 'getUnread',
    method: 'get',
    path: '/v1/me/unread',
    tag: 'Read state',
    summary: 'What I have not read, in all and by conversation',
    auth: 'user',
    success: { 200: UnreadOverview },
    errors: [],
  }),
  putDraft: endpoint({
    operationId: 'putDraft',
    method: 'put',
    path: '/v1/conversations/{id}/draft',
    tag: 'Drafts',
    summary: 'Keeps what I have begun to write, for all of my devices',
    auth: 'user',
    params: conversationParams,
    body: DraftInput,
    success: { 200: Draft },
    errors: ['not_found'],
  }),
  deleteDraft: endpoint({
    operationId: 'deleteDraft',
    method: 'delete',
    path: '/v1/conversations/{id}/draft',
    tag: 'Drafts',
    summary: 'Throws my draft away',
    auth: 'user',
    params: conversationParams,
    query: z.strictObject({
      at: Instant.optional().describe('Only the one that was written then: another device may have written one since'),
    }),
    success: { 204: null },
    errors: ['not_found'],
  }),
  listDrafts: endpoint({
    operationId: 'listDrafts',
    method: 'get',
    path: '/v1/me/drafts',
    tag: 'Drafts',
    summary: 'My drafts, the latest first',
    auth: 'user',
    success: { 200: z.strictObject({ items: z.array(Draft) }) },
    errors: [],
  }),
  eventsAfter: endpoint({
    operationId: 'eventsAfter',
    method: 'get',
    path: '/v1/conversations/{id}/events',
    tag: 'Sync',
    summary: 'The log after a version, or a snapshot when the distance is over the limit',
    auth: 'user',
    params: conversationParams,
    query: z.strictObject({
      after: queryInteger.pipe(Version),
      limit: pageLimit(limits.pageItems, limits.catchUpEvents),
    }),
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
