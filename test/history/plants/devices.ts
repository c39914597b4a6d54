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
function onOwn(history: History, random: Random, change: (own: Own) => Own): History | undefined {
  const rest = Math.max(...restsOf(history));
  const is: Is<State> = (record): record is State =>
    record.kind === 'state' && record.rest === rest && record.held !== null;
  return replaceOne(history, random, is, (state) => state.own && [{ ...state, own: change(state.own) }]);
}

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
