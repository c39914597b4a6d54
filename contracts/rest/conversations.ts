import { z } from 'zod';
import {
  Conversation,
  ConversationPatch,
  MyMembership,
  MyMembershipPatch,
  NewConversation,
  OpenChannel,
  line,
  pageLimit,
} from '../entities/index.ts';
import { ConversationId } from '../ids.ts';
import { limits } from '../limits.ts';
import { endpoint } from './endpoint.ts';

export const conversationParams = z.strictObject({ id: ConversationId });
/** `?limit=&cursor=` of lists that go on from an opaque place. */
export const page = (byDefault: number) =>
  z.strictObject({ limit: pageLimit(byDefault), cursor: z.string().max(200).optional() });
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({ items: z.array(item), nextCursor: z.string().nullable() });

export const conversationEndpoints = {
  createConversation: endpoint({
    operationId: 'createConversation',
    method: 'post',
    path: '/v1/conversations',
    tag: 'Conversations',
    summary: 'Makes a group or channel, or finds or makes the direct conversation of a pair',
    auth: 'user',
    body: NewConversation,
    success: { 201: Conversation, 200: Conversation },
    errors: ['not_found', 'forbidden', 'idempotency_conflict'],
  }),
  listConversations: endpoint({
    operationId: 'listConversations',
    method: 'get',
    path: '/v1/conversations',
    tag: 'Conversations',
    summary:
      'My conversations, the latest active first. Page to the end and you have each at least once: what moves up meanwhile comes again behind the rest, so merge by id',
    auth: 'user',
    query: page(50),
    success: { 200: pageOf(Conversation) },
    errors: [],
  }),
  getConversation: endpoint({
    operationId: 'getConversation',
    method: 'get',
    path: '/v1/conversations/{id}',
    tag: 'Conversations',
    summary: 'One conversation; `ETag` is its version',
    auth: 'user',
    params: conversationParams,
    success: { 200: Conversation },
    errors: ['not_found'],
    conditional: true,
  }),
  updateConversation: endpoint({
    operationId: 'updateConversation',
    method: 'patch',
    path: '/v1/conversations/{id}',
    tag: 'Conversations',
    summary:
      'Changes the title, the description, who may write, who may join and what they may read. With `If-Match` only if no setting has changed since that version; messages do not count',
    auth: 'user',
    params: conversationParams,
    body: ConversationPatch,
    success: { 200: Conversation },
    errors: ['not_found', 'forbidden', 'precondition_failed'],
    conditional: true,
  }),
  deleteConversation: endpoint({
    operationId: 'deleteConversation',
    method: 'delete',
    path: '/v1/conversations/{id}',
    tag: 'Conversations',
    summary: 'Ends a group or channel for everybody',
    auth: 'user',
    params: conversationParams,
    success: { 204: null },
    errors: ['not_found', 'forbidden'],
  }),
  updateMyMembership: endpoint({
    operationId: 'updateMyMembership',
    method: 'patch',
    path: '/v1/conversations/{id}/me',
    tag: 'Notification settings',
    summary: 'Changes how this conversation calls for my attention, and where it stands in my list',
    auth: 'user',
    params: conversationParams,
    body: MyMembershipPatch,
    success: { 200: MyMembership },
    errors: ['not_found'],
  }),
  listChannels: endpoint({
    operationId: 'listChannels',
    method: 'get',
    path: '/v1/channels',
    tag: 'Conversations',
    summary: 'Open channels whose title begins with the words',
    auth: 'user',
    query: z.strictObject({ q: line(limits.titleLength).optional(), ...page(50).shape }),
    success: { 200: pageOf(OpenChannel) },
    errors: [],
  }),
};
