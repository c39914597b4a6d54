import { looksAtMost } from '../checker/devices.ts';
import type { Random } from '../random.ts';
import type { Current, History, HistoryRecord, Own, State, Stored } from '../record.ts';
import { type Is, type Plants, begunOf, isOk, onStored, replaceOne, restsOf } from './change.ts';

type Told = Extract<HistoryRecord, { kind: 'told' }>;
const isTold: Is<Told> = (record): record is Told => record.kind === 'told';
const isCurrent: Is<Current> = (record): record is Current => record.kind === 'current';

const doorsOf = (history: History) =>
  new Map(
    history.flatMap((record): [string, string][] => (record.kind === 'client' ? [[record.who, record.door]] : [])),
  );

/** Two that the typed client sent one after another, which stand the other way round. */
function overtake(history: History, random: Random): History | undefined {
  const doors = doorsOf(history);
  const begun = begunOf(history);
  const sent = history.flatMap((record) => {
    const operation =
      isOk(record) && doors.get(record.who) === 'sdk' ? begun.get(record.attempt)?.operation : undefined;
    return operation?.what === 'send' ? [{ who: record.who, clientId: operation.clientId }] : [];
  });
  const senders = new Map(sent.map(({ who, clientId }) => [clientId, who]));
  return onStored(history, random, ({ messages }) => swapTwo(messages, senders, random));
}

function swapTwo(messages: Stored['messages'], senders: ReadonlyMap<string, string>, random: Random): boolean {
  const one = random.pick(messages.filter(({ clientId }) => senders.has(clientId)));
  const who = senders.get(one?.clientId ?? '');
  const other = messages.find((row) => row.seq > (one?.seq ?? 0) && senders.get(row.clientId) === who);
  if (!one || !other) return false;
  [one.clientId, other.clientId] = [other.clientId, one.clientId];
  return true;
}

/** At the last rest, where the client still belongs to it. */
function onOwn(history: History, random: Random, change: (own: Own) => Own | undefined): History | undefined {
  const rest = Math.max(...restsOf(history));
  const is: Is<State> = (record): record is State =>
    record.kind === 'state' && record.rest === rest && record.held !== null;
  return replaceOne(history, random, is, (state) => {
    const own = state.own && change(state.own);
    return own && [{ ...state, own }];
  });
}

/** Of what stands beside the log, with its own person. */
const onOwnPart = (change: (own: Own) => Partial<Own>): Plants[string] => ({
  found: 'own state astray',
  plant: (history, random) => onOwn(history, random, (own) => ({ ...own, ...change(own) })),
});

/** With one of the others. */
const onOther = (change: (other: Own['others'][number]) => Own['others']): Plants[string] => ({
  found: 'others astray',
  plant: (history, random) =>
    onOwn(history, random, (own) => {
      const other = random.pick(own.others);
      return other && { ...own, others: own.others.flatMap((one) => (one === other ? change(one) : [one])) };
    }),
});

export const devicePlants: Plants = {
  'what was written first on a device stands last': { found: 'out of turn', plant: overtake },
  'a message waits on a device for ever': {
    found: 'still waiting',
    plant: (history, random) => onOwn(history, random, (own) => ({ ...own, waiting: 1 })),
  },
  'a device shows another role than its person has': {
    found: 'diverged',
    plant: (history, random) =>
      onOwn(history, random, (own) => ({ ...own, role: own.role === 'admin' ? 'owner' : 'admin' })),
  },
  'a device shows as read what the server never heard of': {
    found: 'read mark went back',
    plant: (history, random) => onOwn(history, random, (own) => ({ ...own, readSeq: own.readSeq + 1_000 })),
  },
  'a device shows less as read than was read': onOwnPart((own) => ({ readSeq: own.readSeq - 1 })),
  'a device shows less as delivered than it has': onOwnPart((own) => ({ deliveredSeq: own.deliveredSeq - 1 })),
  'a device counts one unread message too many': onOwnPart((own) => ({ unread: own.unread + 1 })),
  'a device counts one mention too many': onOwnPart((own) => ({ mentions: own.mentions + 1 })),
  'a device shows another mark than was set': onOwnPart((own) => ({ unreadMark: (own.unreadMark ?? 0) + 1 })),
  'a device has another level than was set': onOwnPart((own) => ({ level: own.level === 'all' ? 'nothing' : 'all' })),
  'a device shows as pinned what is not': onOwnPart((own) => ({ pinned: !own.pinned })),
  'a device shows as archived what is not': onOwnPart((own) => ({ archived: !own.archived })),
  'a device is muted otherwise than was set': onOwnPart(() => ({ mutedUntil: '2001-01-01T00:00:00.000Z' })),
  'a device shows somebody as having got less': onOther((other) => [
    { ...other, deliveredSeq: other.deliveredSeq - 1 },
  ]),
  'a device shows somebody as having read less': onOther((other) => [{ ...other, readSeq: other.readSeq - 1 }]),
  'a device shows somebody as having come earlier': onOther((other) => [{ ...other, cameSeq: other.cameSeq - 1 }]),
  'a device knows of somebody not how far they are': onOther(() => []),
  'a device shows somebody who is gone': onOther((other) => [other, { ...other, userId: 'somebody who is gone' }]),
  'a device tells of a message twice': {
    found: 'told out of turn',
    plant: (history, random) => replaceOne(history, random, isTold, (told) => [told, told]),
  },
  'a device tells of another message than stands there': {
    found: 'swapped',
    plant: (history, random) =>
      replaceOne(history, random, isTold, (told) => [{ ...told, message: { ...told.message, id: 'another' } }]),
  },
  'a client comes to rest one look of the digest too late': {
    found: 'late',
    plant: (history, random) =>
      replaceOne(history, random, isCurrent, (current) => [{ ...current, looks: looksAtMost + 1 }]),
  },
  'a client never comes to rest': {
    found: 'late',
    plant: (history, random) => replaceOne(history, random, isCurrent, (current) => [{ ...current, looks: null }]),
  },
};
