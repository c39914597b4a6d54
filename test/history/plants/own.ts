import type { Random } from '../random.ts';
import type { Answered, History, HistoryRecord, Personal } from '../record.ts';
import {
  type Is,
  type Plants,
  begunOf,
  isOk,
  onAnswer,
  onRow,
  onShown,
  onStored,
  replaceOne,
  restsOf,
} from './change.ts';
import { onFreshSync } from './sends.ts';
import { asked, edges, foundedWith } from './members.ts';

/** Changes what the database holds of a person at the last rest. */
function onPersonal(history: History, random: Random, change: (own: Personal) => boolean) {
  const rest = Math.max(...restsOf(history));
  const is: Is<Personal> = (record): record is Personal => record.kind === 'personal' && record.rest === rest;
  return replaceOne(history, random, is, (own) => change(own) && [own]);
}

/** To somebody who never blocked whoever wrote it. */
function markBlocked(history: History, random: Random): History | undefined {
  const persons = new Map(
    history.flatMap((record): [string, string][] => (record.kind === 'client' ? [[record.who, record.person]] : [])),
  );
  const tried = new Set(
    [...begunOf(history).values()].flatMap(({ who, operation }) =>
      operation.what === 'block' && operation.on ? [`${persons.get(who)} ${operation.person}`] : [],
    ),
  );
  return onAnswer(history, random, ['page'], ({ messages = [] }, { who }) => {
    const place = messages.findIndex(({ senderId }) => !tried.has(`${persons.get(who)} ${senderId}`));
    const message = messages[place];
    return message && { messages: messages.with(place, { ...message, fromBlocked: true }) };
  });
}

/** Somebody who may not read the beginning forwards the first message of it. */
function forwardUnread(history: History, random: Random): History | undefined {
  const edge = random.pick(edges(history, 'begun').filter((one) => !foundedWith(one)));
  const [first] = edge?.stored.messages ?? [];
  const row = edge?.stored.messages.findLast(({ kind }) => kind === 'text');
  if (!edge || !first || !row) return undefined;
  const { at, conversation } = edge.stored;
  const { clientId } = row;
  const message = { ...row, thread: null, fromBlocked: false, reactions: [] };
  const operation = { what: 'forward' as const, conversation, clientId, from: conversation, messageId: first.id };
  return [...history, ...asked(edge.who, operation, { message }, at)];
}

/** Of two acked attempts at one send the later one, which began after the first was acked. */
function refuseRepeat(history: History, random: Random): History | undefined {
  const begun = begunOf(history);
  const sendOf = ({ attempt }: Answered) => {
    const operation = begun.get(attempt)?.operation;
    return operation?.what === 'send' ? operation.clientId : undefined;
  };
  const acks = history.filter((record): record is Answered => isOk(record) && sendOf(record) !== undefined);
  const late = acks.filter((ack) =>
    acks.some((other) => sendOf(other) === sendOf(ack) && other.at < (begun.get(ack.attempt)?.at ?? 0)),
  );
  const is: Is<Answered> = (record): record is Answered => isOk(record) && late.includes(record);
  return replaceOne(history, random, is, ({ at, who, attempt }): HistoryRecord[] => [
    { kind: 'refused', at, who, attempt, code: 'idempotency_conflict' },
  ]);
}

/** Of an acked forward whose origin still says where it came from itself. */
function nameAnother(history: History, random: Random): History | undefined {
  const begun = begunOf(history);
  const origins = new Map<string, string>();
  for (const record of history) {
    const operation = isOk(record) ? begun.get(record.attempt)?.operation : undefined;
    if (operation?.what === 'forward') origins.set(operation.clientId, operation.messageId);
  }
  return onStored(history, random, ({ messages }) => {
    const standing = new Set(messages.filter(({ deleted }) => !deleted).map(({ id }) => id));
    const row = messages.find(({ clientId, deleted }) => !deleted && standing.has(origins.get(clientId) ?? ''));
    if (row) row.forwarded = 'another';
    return row !== undefined;
  });
}

export const ownPlants: Plants = {
  'a draft is lost': {
    found: 'last word lost',
    plant: (history, random) => onPersonal(history, random, (own) => own.drafts.splice(0, 1).length > 0),
  },
  'a block is lost': {
    found: 'last word lost',
    plant: (history, random) => onPersonal(history, random, (own) => own.blocked.splice(0, 1).length > 0),
  },
  'a mark stands where nobody set it': {
    found: 'last word lost',
    plant: (history, random) =>
      onStored(history, random, ({ members }) => {
        const member = random.pick(members.filter(({ present }) => present));
        if (member) member.unreadMark = 1_000_000;
        return member !== undefined;
      }),
  },
  'a conversation is muted as nobody has set it': {
    found: 'last word lost',
    plant: (history, random) =>
      onStored(history, random, ({ members }) => {
        const member = random.pick(members.filter(({ present }) => present));
        if (member) member.mutedUntil = '2001-01-01T00:00:00.000Z';
        return member !== undefined;
      }),
  },
  'somebody is told another draft than is kept': {
    found: 'last word lost',
    plant: (history, random) =>
      onAnswer(history, random, ['drafts'], ({ drafts = [] }) => ({ drafts: [...drafts, 'room another'] })),
  },
  'somebody is told another mark than is kept': {
    found: 'last word lost',
    plant: (history, random) => onFreshSync(history, random, (standing) => ({ ...standing, unreadMark: 1_000_000 })),
  },
  'a fresh reading shows a blocked person’s message as anybody’s': {
    found: 'block not kept',
    plant: (history, random) =>
      onShown(history, random, (message) => message.fromBlocked && { ...message, fromBlocked: false }, true),
  },
  'somebody is shown as blocked to who has blocked nobody': { found: 'block not kept', plant: markBlocked },
  'what is forwarded names another origin': { found: 'change lost', plant: nameAnother },
  'what is forwarded says something else': {
    found: 'change lost',
    plant: (history, random) =>
      onRow(
        history,
        random,
        ({ forwarded, deleted }) => forwarded !== null && !deleted,
        (_, row) => void (row.text = 'something else'),
      ),
  },
  'a client does not show where a message comes from': {
    found: 'diverged',
    plant: (history, random) =>
      onShown(history, random, (message) => message.forwarded !== null && { ...message, forwarded: null }),
  },
  'somebody forwards what they never could read': { found: 'read outside membership', plant: forwardUnread },
  'the repeat of what was acked is a conflict': { found: 'answers differ', plant: refuseRepeat },
};
