import type { ErrorCode } from '../../../contracts/errors.ts';
import type { Client, HomingError } from '../../../sdk/index.ts';
import type { Answer, Operation, OperationOf } from '../record.ts';
import type { Outcome } from '../recorder.ts';
import { clientLimits } from './client.ts';
import { type Body, answerOf } from './requests.ts';
import { followedThread, refusedWith, seen } from './translate.ts';

/** What the typed client has a call for whose answer is the outcome. Sends and reads are told by its events. */
type Called = Exclude<Operation, { what: 'send' | 'read' | 'sync' }>;

export async function call(client: Client, operation: Called): Promise<Answer> {
  switch (operation.what) {
    case 'edit':
      return {
        message: seen(await client.edit(operation.conversation, operation.messageId, { text: operation.text })),
      };
    case 'delete':
      return { message: seen(await client.delete(operation.conversation, operation.messageId)) };
    case 'react': {
      const { conversation, messageId, emoji, on } = operation;
      return { message: seen(await client.react(conversation, messageId, emoji, on)) };
    }
    case 'mark':
      await client.markUnread(operation.conversation, operation.seq);
      return {};
    case 'set':
      await client.updateMembership(operation.conversation, operation.settings);
      return {};
    case 'page': {
      const { conversation, before, after, limit } = operation;
      const bound = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
      return { messages: (await client.history(conversation, { ...bound, limit })).map(seen) };
    }
    case 'follow': {
      const { conversation, messageId, following, seq } = operation;
      const thread = await (following === undefined
        ? client.readThread(conversation, messageId, seq)
        : client.followThread(conversation, messageId, following));
      return { threads: [followedThread(thread)] };
    }
    case 'threads': {
      const { items } = await client.threads(operation.conversation, { limit: operation.limit });
      return { threads: items.map(followedThread) };
    }
    default:
      return answerOf(operation, ((await rest(client, operation)) ?? {}) as Body);
  }
}

/** What it has no call of its own for, by the operation's name. */
function rest(
  { rest: ask }: Client,
  operation: Exclude<Called, { what: 'edit' | 'delete' | 'react' | 'mark' | 'set' | 'page' | 'follow' | 'threads' }>,
): Promise<unknown> {
  const id = 'conversation' in operation ? operation.conversation : '';
  switch (operation.what) {
    case 'forward':
      return ask('forwardMessage', forwarded(operation));
    case 'pin': {
      const params = { id, messageId: operation.messageId };
      return operation.on ? ask('pinMessage', { params }) : ask('unpinMessage', { params });
    }
    case 'add':
      return ask('addMembers', { params: { id }, body: { userIds: [operation.person] } });
    case 'remove':
      return ask('removeMember', { params: { id, userId: operation.person } });
    case 'leave':
      return ask('leaveConversation', { params: { id } });
    case 'role': {
      const { person: userId, role } = operation;
      return ask('changeMember', { params: { id, userId }, body: { role: role === 'owner' ? 'admin' : role } });
    }
    case 'title':
      return ask('updateConversation', { params: { id }, body: { title: operation.title } });
    case 'draft': {
      const { text } = operation;
      return text === null
        ? ask('deleteDraft', { params: { id } })
        : ask('putDraft', { params: { id }, body: { text } });
    }
    case 'drafts':
      return ask('listDrafts');
    case 'block': {
      const params = { userId: operation.person };
      return operation.on ? ask('blockUser', { params }) : ask('unblockUser', { params });
    }
    case 'blocks':
      return ask('listBlocks');
    case 'after':
      return ask('eventsAfter', { params: { id }, query: { after: operation.version, limit: clientLimits.entries } });
  }
}

const forwarded = ({ from, messageId, clientId, conversation: conversationId }: OperationOf<'forward'>) => ({
  params: { id: from, messageId },
  body: { clientId, conversationId },
});

/** Codes of the client's own that say no more than that no answer came. */
const silent: ReadonlySet<string> = new Set<HomingError['code']>(['network', 'timeout', 'disconnected', 'stopped']);
/** Those that nothing which happens in a run excuses. */
const own: ReadonlySet<string> = new Set<HomingError['code']>([
  ...(['unreadable', 'signed_out', 'queue_full', 'discarded', 'settled_elsewhere', 'storage_failed'] as const),
]);

/** What the client's error means for whoever asked. */
export function outcomeOfError({ code }: HomingError): Outcome {
  if (silent.has(code)) return { result: 'unknown', why: code };
  return own.has(code) ? { result: 'unknown', why: `the client says ${code}` } : refusedWith(code as ErrorCode);
}
