import type { Random } from '../random.ts';
import type { Answered, Begun, History, Seen, Standing, Stored } from '../record.ts';
import { type Is, begunOf, isOk, isText, onAnswer, onRow, replaceOne } from './change.ts';

/** The newest page, of which the last message was acked before the page was asked for. */
export function shortenPage(history: History, random: Random): History | undefined {
  const acked = new Map<string, number>();
  for (const record of history)
    if (isOk(record) && record.answer.message) {
      const { seq, clientId } = record.answer.message;
      acked.set(`${clientId} ${seq}`, Math.min(record.at, acked.get(`${clientId} ${seq}`) ?? record.at));
    }
  return onAnswer(history, random, ['page'], ({ messages = [] }, { operation, at }) => {
    const last = messages.at(-1);
    const newest = operation.what === 'page' && operation.before === undefined && operation.after === undefined;
    const known = last && (acked.get(`${last.clientId} ${last.seq}`) ?? Number.POSITIVE_INFINITY) < at;
    return newest && known && messages.length > 1 && { messages: messages.slice(0, -1) };
  });
}

/** Attempts that are the only one of their send. */
function sentOnce(history: History): Set<number> {
  const sends = [...begunOf(history).values()].filter(({ operation }) => operation.what === 'send');
  const attempts = Map.groupBy(sends, ({ operation }) => ('clientId' in operation ? operation.clientId : ''));
  return new Set([...attempts.values()].flatMap((all) => (all.length === 1 ? all.map(({ attempt }) => attempt) : [])));
}

export function refuse(history: History, random: Random): History | undefined {
  const once = sentOnce(history);
  const is: Is<Answered> = (record): record is Answered => isOk(record) && once.has(record.attempt);
  return replaceOne(history, random, is, ({ at, who, attempt }) => [
    { kind: 'refused', at, who, attempt, code: 'forbidden' },
  ]);
}

export function doubleRow(history: History, random: Random): History | undefined {
  return onRow(history, random, isText, (stored, row) => {
    stored.version += 1;
    stored.lastSeq += 1;
    const numbers = { seq: stored.lastSeq, version: stored.version, changedVersion: stored.version };
    stored.messages.push({ ...row, ...numbers, id: 'another' });
  });
}

/** Attempts to send what another attempt was acked for as well, and what is still there. */
function ackedTwice(history: History): Set<number> {
  const begun = begunOf(history);
  const acks = history.filter(
    (record): record is Answered =>
      isOk(record) && record.answer.message?.deleted === false && begun.get(record.attempt)?.operation.what === 'send',
  );
  const several = [...Map.groupBy(acks, ({ answer }) => answer.message?.clientId).values()].filter(
    (all) => all.length > 1,
  );
  return new Set(several.flatMap((all) => all.map(({ attempt }) => attempt)));
}

export function answerOtherwise(history: History, random: Random): History | undefined {
  const repeats = ackedTwice(history);
  return onAnswer(
    history,
    random,
    ['send'],
    ({ message, repeated = false }, { attempt }) =>
      repeats.has(attempt) && message && { repeated, message: { ...message, id: 'another' } },
  );
}

export function acceptOther(history: History, random: Random): History | undefined {
  const repeats = ackedTwice(history);
  const is: Is<Begun> = (record): record is Begun =>
    record.kind === 'begin' && record.operation.what === 'send' && repeats.has(record.attempt);
  return replaceOne(
    history,
    random,
    is,
    (record) =>
      record.operation.what === 'send' && [{ ...record, operation: { ...record.operation, text: 'something else' } }],
  );
}

export function swapPair(history: History, random: Random): History | undefined {
  return onAnswer(history, random, ['page'], ({ messages = [] }) => {
    const [one, other] = [messages.at(-2), messages.at(-1)];
    return (
      one && other && { messages: [...messages.slice(0, -2), { ...other, seq: one.seq }, { ...one, seq: other.seq }] }
    );
  });
}

/** A send is moved in time behind the acknowledgement of a later one. */
export function invert(history: History, random: Random): History | undefined {
  const begun = begunOf(history);
  const once = sentOnce(history);
  const sends = history.filter(
    (record): record is Answered =>
      isOk(record) && record.answer.repeated === false && begun.get(record.attempt)?.operation.what === 'send',
  );
  const early = random.pick(sends.filter(({ attempt }) => once.has(attempt)));
  const conversation = early && placeOf(begun, early);
  const later = sends.find(
    (send) =>
      placeOf(begun, send) === conversation &&
      (send.answer.message?.version ?? 0) > (early?.answer.message?.version ?? 0),
  );
  if (!early || !later) return undefined;
  const at = Math.max(early.at, later.at) + 0.001;
  return history.map((record) =>
    'attempt' in record && record.attempt === early.attempt ? { ...record, at } : record,
  );
}

const placeOf = (begun: Map<number, Begun>, { attempt }: Answered) => {
  const operation = begun.get(attempt)?.operation;
  return operation && 'conversation' in operation ? operation.conversation : undefined;
};

export function rewrite({ messages, changes }: Stored): boolean {
  const [row] = changes.length > 1 ? changes.slice(-1) : [];
  if (row) row.actor = 'somebody else';
  const line = row ? undefined : messages.at(-1);
  if (line) line.senderId = 'somebody else';
  return row !== undefined || line !== undefined;
}

/** A page that was asked for after the deletion was acked shows what was said. */
export function resurrect(history: History, random: Random): History | undefined {
  const begun = begunOf(history);
  const gone = new Map<string, number>();
  for (const record of history) {
    const what = isOk(record) ? begun.get(record.attempt)?.operation.what : undefined;
    if (isOk(record) && what === 'delete' && record.answer.message) gone.set(record.answer.message.id, record.at);
  }
  return onAnswer(history, random, ['page', 'after', 'sync'], (answer, { at }) => {
    const raise = (messages: Seen[]) =>
      messages.map((message) => ((gone.get(message.id) ?? at) < at ? { ...message, text: 'what was said' } : message));
    const raised = {
      ...answer,
      messages: raise(answer.messages ?? []),
      snapshots: (answer.snapshots ?? []).map((snapshot) => ({ ...snapshot, messages: raise(snapshot.messages) })),
    };
    return JSON.stringify(raised).includes('what was said') && raised;
  });
}

/** An answer that is lower than what it was asked for: the mark is behind what was read. */
export function readBack(history: History, random: Random): History | undefined {
  return onAnswer(
    history,
    random,
    ['read'],
    ({ readSeq = 0 }, { operation }) =>
      operation.what === 'read' && operation.seq > 0 && readSeq >= operation.seq && { readSeq: operation.seq - 1 },
  );
}

export function unread(history: History, stored: Stored): boolean {
  const begun = begunOf(history);
  const persons = new Map(
    history.flatMap((record): [string, string][] => (record.kind === 'client' ? [[record.who, record.person]] : [])),
  );
  for (const record of history) {
    const operation = isOk(record) ? begun.get(record.attempt)?.operation : undefined;
    if (operation?.what !== 'read' || operation.conversation !== stored.conversation || operation.seq === 0) continue;
    const member = stored.members.find(({ userId }) => userId === persons.get(record.who));
    if (member) member.readSeq = 0;
    if (member) return true;
  }
  return false;
}

export function onFreshSync(
  history: History,
  random: Random,
  change: (standing: Standing) => Standing,
): History | undefined {
  const fresh = new Set(history.flatMap((record) => (record.kind === 'state' && record.fresh ? [record.who] : [])));
  return onAnswer(history, random, ['sync'], (answer, { who }) => {
    const [first, ...others] = answer.standings ?? [];
    return fresh.has(who) && first && { ...answer, standings: [change(first), ...others] };
  });
}
