import type { ErrorCode } from '../../../contracts/errors.ts';
import type { Draft, EventsAfter, Message, Receipt, SyncResponse } from '../../../contracts/entities/index.ts';
import type { FollowedThread } from '../../../contracts/rest/messages.ts';
import type { ClientEventName } from '../../../contracts/realtime/index.ts';
import type { Answer, Operation, OperationOf } from '../record.ts';
import type { Outcome } from '../recorder.ts';
import { clientLimits } from './client.ts';
import { followed, followedThread, refusedWith, seen, synced } from './translate.ts';

/** What the system answers with, in the parts that any of the calls has. */
export interface Body {
  code?: ErrorCode;
  message?: Message;
  repeated?: boolean;
  receipt?: Receipt;
  readSeq?: number;
  items?: unknown[];
  page?: EventsAfter;
  snapshot?: boolean;
  changes?: SyncResponse['changes'];
  standings?: SyncResponse['standings'];
}

/** One operation as a REST call. A sync is made by its own way: it needs what the client holds. */
export function restCall(operation: Exclude<Operation, { what: 'sync' }>): [string, string, unknown?] {
  const place = 'conversation' in operation ? operation.conversation : '';
  const at = (rest: string) => `/v1/conversations/${place}${rest}`;
  switch (operation.what) {
    case 'send':
      return ['POST', at('/messages'), written(operation)];
    case 'forward': {
      const { from, messageId, clientId, conversation: conversationId } = operation;
      return ['POST', `/v1/conversations/${from}/messages/${messageId}/forward`, { clientId, conversationId }];
    }
    case 'mark':
      return ['PUT', at('/unread-mark'), { seq: operation.seq }];
    case 'set':
      return ['PATCH', at('/me'), operation.settings];
    case 'draft':
      return operation.text === null ? ['DELETE', at('/draft')] : ['PUT', at('/draft'), { text: operation.text }];
    case 'drafts':
      return ['GET', '/v1/me/drafts'];
    case 'block':
      return [operation.on ? 'PUT' : 'DELETE', `/v1/me/blocks/${operation.person}`];
    case 'blocks':
      return ['GET', '/v1/me/blocks'];
    case 'edit':
      return ['PATCH', at(`/messages/${operation.messageId}`), { clientId: operation.clientId, text: operation.text }];
    case 'delete':
      return ['DELETE', at(`/messages/${operation.messageId}`)];
    case 'react': {
      const path = at(`/messages/${operation.messageId}/reactions/${encodeURIComponent(operation.emoji)}`);
      return [operation.on ? 'PUT' : 'DELETE', path];
    }
    case 'pin':
      return [operation.on ? 'PUT' : 'DELETE', at(`/messages/${operation.messageId}/pin`)];
    case 'role':
      return ['PATCH', at(`/members/${operation.person}`), { role: operation.role }];
    case 'follow': {
      const { messageId, following, seq: readSeq } = operation;
      return ['PATCH', at(`/messages/${messageId}/thread`), { following, readSeq }];
    }
    case 'threads':
      return ['GET', at(`/threads?limit=${operation.limit}`)];
    case 'read':
      return ['PUT', at('/receipts'), { readSeq: operation.seq }];
    case 'page':
      return ['GET', at(`/messages?${bounds(operation)}`)];
    case 'add':
      return ['POST', at('/members'), { userIds: [operation.person] }];
    case 'remove':
      return ['DELETE', at(`/members/${operation.person}`)];
    case 'leave':
      return ['POST', at('/leave')];
    case 'title':
      return ['PATCH', at(''), { title: operation.title }];
    case 'after':
      return ['GET', at(`/events?after=${operation.version}&limit=${clientLimits.entries}`)];
  }
}

function written({ clientId, text, thread, mention }: OperationOf<'send'>): object {
  const mentions = [{ type: 'user', userId: mention, offset: 0, length: 1 }];
  return { clientId, text, ...(thread ? { threadId: thread } : {}), ...(mention ? { mentions } : {}) };
}

function bounds({ before, after, limit }: OperationOf<'page'>): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (before !== undefined) query.set('before', String(before));
  if (after !== undefined) query.set('after', String(after));
  return query.toString();
}

/** The same as a socket request, where there is one. */
export function socketCall(operation: Operation): [ClientEventName, unknown] | undefined {
  switch (operation.what) {
    case 'send':
      return ['message.send', { conversationId: operation.conversation, message: written(operation) }];
    case 'edit': {
      const { conversation: conversationId, messageId, clientId, text } = operation;
      return ['message.edit', { conversationId, messageId, edit: { clientId, text } }];
    }
    case 'delete':
      return ['message.delete', { conversationId: operation.conversation, messageId: operation.messageId }];
    case 'react': {
      const { conversation: conversationId, messageId, emoji, on } = operation;
      return ['reaction.set', { conversationId, messageId, emoji, on }];
    }
    case 'read':
      return ['receipt.update', { conversationId: operation.conversation, receipt: { readSeq: operation.seq } }];
    case 'after':
      return [
        'events.after',
        { conversationId: operation.conversation, after: operation.version, limit: clientLimits.entries },
      ];
    default:
      return undefined;
  }
}

const itemsOf = <Item>({ items = [] }: Body) => items as Item[];

/** What was answered, as the history keeps it. */
export function answerOf(operation: Operation, body: Body): Answer {
  switch (operation.what) {
    case 'send':
    case 'forward':
    case 'edit':
    case 'delete':
    case 'react':
      return body.message ? { message: seen(body.message), repeated: body.repeated === true } : {};
    case 'read': {
      const readSeq = body.receipt?.readSeq ?? body.readSeq;
      return typeof readSeq === 'number' ? { readSeq } : {};
    }
    case 'page':
      return { messages: itemsOf<Message>(body).map(seen) };
    case 'follow':
      return { threads: [followedThread(body as FollowedThread)] };
    case 'threads':
      return { threads: itemsOf<FollowedThread>(body).map(followedThread) };
    case 'after':
      return followed(body.page ?? (body as EventsAfter));
    case 'sync':
      return synced(body as SyncResponse);
    case 'drafts':
      return { drafts: itemsOf<Draft>(body).map(({ conversationId, text }) => `${conversationId} ${text}`) };
    case 'blocks':
      return { blocked: itemsOf<{ userId: string }>(body).map(({ userId }) => userId) };
    default:
      return {};
  }
}

/** One REST request; rejects where there was no answer. */
export async function fetchBody(
  url: string,
  token: string,
  [method, path, input]: [string, string, unknown?],
): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${url}${path}`, {
    method,
    signal: AbortSignal.timeout(clientLimits.answerMs),
    headers: {
      authorization: `Bearer ${token}`,
      ...(input === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(input === undefined ? {} : { body: JSON.stringify(input) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
}

/** What a status and a body mean for whoever asked. */
export function outcomeOf(operation: Operation, { status, body }: { status: number; body: Body }): Outcome {
  if (status < 300) return { result: 'ok', answer: answerOf(operation, { repeated: status === 200, ...body }) };
  return body.code ? refusedWith(body.code) : { result: 'unknown', why: `status ${status} without a code` };
}
