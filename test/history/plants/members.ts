import type { Random } from '../random.ts';
import type { Answer, History, HistoryRecord, Operation, Stored } from '../record.ts';
import { begunOf, restsOf } from './change.ts';

export interface Edge {
  who: string;
  person: string;
  stored: Stored;
}

/** Somebody whose membership is over at the end, or who may not read the beginning. */
export function edges(history: History, kind: 'over' | 'begun'): Edge[] {
  const rest = Math.max(...restsOf(history));
  const joining = new Set(
    history.flatMap((record) =>
      record.kind === 'founded' && record.history === 'joining' ? [record.conversation] : [],
    ),
  );
  const devices = history.filter((record) => record.kind === 'client');
  return history.flatMap((record) => {
    if (record.kind !== 'stored' || record.rest !== rest) return [];
    return record.members.flatMap(({ userId, present, leftVersion, joinedSeq }) => {
      const who = devices.find(({ person }) => person === userId)?.who;
      const fits =
        kind === 'over'
          ? !present && (leftVersion ?? 0) < record.version
          : present && joinedSeq > 0 && joining.has(record.conversation);
      return who && fits ? [{ who, person: userId, stored: record }] : [];
    });
  });
}

export function hear({ who, stored }: Edge, version: number, at: number): HistoryRecord {
  const message = stored.messages.find((row) => row.version === version);
  const change = stored.changes.find((row) => row.version === version);
  const { conversation } = stored;
  const entry = message
    ? {
        conversation,
        version,
        actor: message.senderId,
        seq: message.seq,
        message: null,
        type: message.system ?? 'message.created',
      }
    : {
        conversation,
        version,
        actor: change?.actor ?? '',
        seq: change?.messageSeq ?? null,
        message: null,
        type: change?.type ?? '',
      };
  return { kind: 'delivered', at, who, dropped: false, entry };
}

export function hearAfterRemoval(history: History, random: Random): History | undefined {
  const edge = random.pick(edges(history, 'over'));
  const left = edge?.stored.members.find(({ userId }) => userId === edge.person)?.leftVersion ?? 0;
  return edge && [...history, hear(edge, left + 1, edge.stored.at)];
}

export function hearBeforeJoining(history: History, random: Random): History | undefined {
  const edge = random.pick(edges(history, 'begun'));
  const first = edge?.stored.messages[0];
  const insider = edge && foundedWith(edge);
  return edge && first && !insider ? [...history, hear(edge, first.version, edge.stored.at)] : undefined;
}

/** Whoever was there from the beginning, or whose coming it tells, may read the first message. */
export const foundedWith = ({ stored, person }: Edge) =>
  stored.changes[0]?.joined.includes(person) || stored.messages[0]?.joined.includes(person);

export function readBeforeJoining(history: History, random: Random): History | undefined {
  const edge = random.pick(edges(history, 'begun').filter((one) => !foundedWith(one)));
  const first = edge?.stored.messages[0];
  if (!edge || !first) return undefined;
  const { at, conversation } = edge.stored;
  const answer = { messages: [{ ...first, thread: null, fromBlocked: false, reactions: [] }] };
  return [...history, ...asked(edge.who, { what: 'page', conversation, before: 2, limit: 1 }, answer, at)];
}

export function answerAfterRemoval(history: History, random: Random): History | undefined {
  const edge = random.pick(
    edges(history, 'over').filter(({ stored, person }) => isRemovalAcked(history, stored.conversation, person)),
  );
  if (!edge) return undefined;
  return [
    ...history,
    ...asked(
      edge.who,
      { what: 'page', conversation: edge.stored.conversation, limit: 1 },
      { messages: [] },
      edge.stored.at,
    ),
  ];
}

/** It tells a reaction that came after the removal. */
export function repeatWithMore(history: History, random: Random): History | undefined {
  const edge = random.pick(
    edges(history, 'over').filter(({ stored, person }) => isRemovalAcked(history, stored.conversation, person)),
  );
  const own = random.pick(
    edge?.stored.messages.filter(({ senderId, kind }) => senderId === edge.person && kind === 'text') ?? [],
  );
  if (!edge || !own) return undefined;
  const { conversation, at } = edge.stored;
  const message = {
    ...own,
    changedVersion: own.version,
    deleted: false,
    pinned: false,
    thread: null,
    fromBlocked: false,
  };
  return [
    ...history,
    ...asked(
      edge.who,
      { what: 'send', conversation, clientId: own.clientId, text: own.text ?? '' },
      { repeated: true, message: { ...message, reactions: ['👍 1'] } },
      at,
    ),
  ];
}

/** By an answer that came, and with no adding afterwards whose end is not known. */
export function isRemovalAcked(history: History, conversation: string, person: string): boolean {
  const begun = begunOf(history);
  const ends = new Map(
    history.flatMap((record) =>
      record.kind === 'ok' || record.kind === 'refused' ? [[record.attempt, record] as const] : [],
    ),
  );
  const of = (what: 'add' | 'remove') =>
    [...begun.values()].filter(
      ({ operation }) =>
        operation.what === what && operation.conversation === conversation && operation.person === person,
    );
  const removed = of('remove').findLast(({ attempt }) => ends.get(attempt)?.kind === 'ok');
  return (
    removed !== undefined &&
    of('add').every(({ attempt }) => (ends.get(attempt)?.at ?? Number.POSITIVE_INFINITY) < removed.at)
  );
}

export function asked(who: string, operation: Operation, answer: Answer, at: number): HistoryRecord[] {
  const attempt = Number.MAX_SAFE_INTEGER;
  return [
    { kind: 'begin', at, who, attempt, operation },
    { kind: 'ok', at: at + 0.001, who, attempt, answer },
  ];
}

export function writeAfterRemoval(history: History, random: Random): History | undefined {
  const edge = random.pick(edges(history, 'over'));
  if (!edge) return undefined;
  const left = edge.stored.members.find(({ userId }) => userId === edge.person)?.leftVersion ?? 0;
  const row = edge.stored.messages.find(({ version, kind }) => version > left && kind === 'text');
  if (!row) return undefined;
  const messages = edge.stored.messages.map((message) =>
    message === row ? { ...row, senderId: edge.person } : message,
  );
  return history.map((record) => (record === edge.stored ? { ...edge.stored, messages } : record));
}
