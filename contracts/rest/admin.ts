import { z } from 'zod';
import { AttemptStory, AuditEntry, Reconciliation, UserStory, Why, pageLimit } from '../entities/index.ts';
import { AttemptId, MessageId, UserId } from '../ids.ts';
import { limits } from '../limits.ts';
import { endpoint } from './endpoint.ts';

const cursor = z.string().max(200).optional();

export const adminEndpoints = {
  getUserStory: endpoint({
    operationId: 'getUserStory',
    method: 'get',
    path: '/v1/admin/users/{id}/story',
    tag: 'Support',
    summary: 'What was decided, tried and heard for a person: each episode, the latest first, addresses masked',
    auth: 'user',
    params: z.strictObject({ id: UserId }),
    query: z.strictObject({ limit: pageLimit(limits.storyEpisodes, limits.storyEpisodes), cursor }),
    success: { 200: UserStory },
    errors: ['not_found'],
  }),
  explainMessage: endpoint({
    operationId: 'explainMessage',
    method: 'get',
    path: '/v1/admin/messages/{id}/why',
    tag: 'Support',
    summary: 'Why a message did or did not reach a person, and what comes next',
    auth: 'user',
    params: z.strictObject({ id: MessageId }),
    query: z.strictObject({ userId: UserId }),
    success: { 200: Why },
    errors: ['not_found'],
  }),
  explainAttempt: endpoint({
    operationId: 'explainAttempt',
    method: 'get',
    path: '/v1/admin/attempts/{id}',
    tag: 'Support',
    summary: 'Of one notification: whom it was for, which messages it told, why it was sent and what was heard of it',
    auth: 'user',
    params: z.strictObject({ id: AttemptId }),
    success: { 200: AttemptStory },
    errors: ['not_found'],
  }),
  getReconciliation: endpoint({
    operationId: 'getReconciliation',
    method: 'get',
    path: '/v1/admin/reconciliation',
    tag: 'Support',
    summary: 'Whether everybody was told who should have been: an independent recount, and what does not agree with it',
    auth: 'user',
    query: z.strictObject({ limit: pageLimit(50), cursor }),
    success: { 200: Reconciliation },
    errors: [],
  }),
  suspendUser: endpoint({
    operationId: 'suspendUser',
    method: 'post',
    path: '/v1/admin/users/{id}/suspend',
    tag: 'Support',
    summary: 'Lets a person in no more: ends all their sessions, and notifies them of nothing',
    auth: 'user',
    params: z.strictObject({ id: UserId }),
    success: { 204: null },
    errors: ['not_found', 'last_admin'],
  }),
  reactivateUser: endpoint({
    operationId: 'reactivateUser',
    method: 'post',
    path: '/v1/admin/users/{id}/reactivate',
    tag: 'Support',
    summary: 'Lets a person in again who was suspended',
    auth: 'user',
    params: z.strictObject({ id: UserId }),
    success: { 204: null },
    errors: ['not_found'],
  }),
  listAudit: endpoint({
    operationId: 'listAudit',
    method: 'get',
    path: '/v1/admin/audit',
    tag: 'Support',
    summary: 'Who has looked at what of whom, and who was given which role, the latest first',
    auth: 'user',
    query: z.strictObject({ limit: pageLimit(50), cursor }),
    success: { 200: z.strictObject({ items: z.array(AuditEntry), nextCursor: z.string().nullable() }) },
    errors: [],
  }),
};
