import type { Violation } from '../checker/index.ts';
import type { Random } from '../random.ts';
import type {
  Answer,
  Answered,
  Begun,
  Entry,
  History,
  HistoryRecord,
  Moved,
  Operation,
  Seen,
  State,
  Stored,
  StoredMessage,
} from '../record.ts';

// How a history is changed: the records that a plant touches are copies, all others stay as they are.

/** Breaks one thing in a clean history; nothing where the history has no place for it. */
export type Plant = (history: History, random: Random) => History | undefined;
/** By what is broken; each with what the checker must call it. */
export type Plants = Record<string, { found: Violation; plant: Plant }>;

export type Is<One extends HistoryRecord> = (record: HistoryRecord) => record is One;
export const isOk: Is<Answered> = (record) => record.kind === 'ok';
export const isText = ({ kind }: StoredMessage) => kind === 'text';

export function replaceOne<One extends HistoryRecord>(
  history: History,
  random: Random,
  is: Is<One>,
  change: (record: One) => readonly HistoryRecord[] | undefined | false,
): History | undefined {
  const places = history.flatMap((record, place) => (is(record) ? [place] : []));
  for (let look = 0; look < 50 && places.length > 0; look += 1) {
    const place = random.pick(places) ?? 0;
    const changed = change(structuredClone(history[place]) as One);
    if (changed) return [...history.slice(0, place), ...changed, ...history.slice(place + 1)];
  }
  return undefined;
}

export const restsOf = (history: History) =>
  history.flatMap((record) => (record.kind === 'stored' ? [record.rest] : []));

/** Changes what the database holds at the last rest, or at the first. */
export function onStored(
  history: History,
  random: Random,
  change: (stored: Stored) => boolean,
  which: 'first' | 'last' = 'last',
) {
  const rest = which === 'last' ? Math.max(...restsOf(history)) : Math.min(...restsOf(history));
  if (which === 'first' && rest === Math.max(...restsOf(history))) return undefined;
  const is: Is<Stored> = (record): record is Stored => record.kind === 'stored' && record.rest === rest;
  return replaceOne(history, random, is, (stored) => change(stored) && [stored]);
}

export function onRow(
  history: History,
  random: Random,
  fits: (row: StoredMessage) => boolean,
  change: (stored: Stored, row: StoredMessage) => void,
) {
  return onStored(history, random, (stored) => {
    const row = random.pick(stored.messages.filter(fits));
    if (row) change(stored, row);
    return row !== undefined;
  });
}

export const isSent = (history: History) => {
  const acked = new Set(
    history.flatMap((record) =>
      isOk(record) && record.answer.repeated === false ? [record.answer.message?.clientId] : [],
    ),
  );
  return ({ clientId }: StoredMessage) => acked.has(clientId);
};

export function onMove(
  history: History,
  random: Random,
  kind: Moved['kind'],
  change: (move: Moved) => HistoryRecord[],
) {
  const is: Is<Moved> = (record): record is Moved => record.kind === kind && record.version > 1;
  return replaceOne(history, random, is, change);
}

export function onState(
  history: History,
  random: Random,
  change: (held: NonNullable<State['held']>) => State['held'] | false,
  freshOnly = false,
) {
  const is: Is<State> = (record): record is State =>
    record.kind === 'state' && record.held !== null && (record.fresh || !freshOnly);
  return replaceOne(history, random, is, (state) => {
    const held = state.held && change(state.held);
    return held === false ? false : [{ ...state, held }];
  });
}

export function onShown(history: History, random: Random, change: (message: Seen) => Seen | false, freshOnly = false) {
  const changeHeld = (held: NonNullable<State['held']>) => {
    const place = random.below(held.messages.length);
    const message = held.messages[place];
    const changed = message && change(message);
    return changed ? { ...held, messages: held.messages.with(place, changed) } : false;
  };
  return onState(history, random, changeHeld, freshOnly);
}

export function onEntry(history: History, random: Random, change: (entry: Entry) => Entry) {
  const is: Is<Extract<HistoryRecord, { kind: 'delivered' }>> = (record) => record.kind === 'delivered';
  return replaceOne(history, random, is, (record) => [{ ...record, entry: change(record.entry) }]);
}

export const begunOf = (history: History) =>
  new Map(history.flatMap((record): [number, Begun][] => (record.kind === 'begin' ? [[record.attempt, record]] : [])));

/** Changes the answer of an attempt of one of these kinds. */
export function onAnswer(
  history: History,
  random: Random,
  kinds: readonly Operation['what'][],
  change: (answer: Answer, begun: Begun) => Answer | undefined | false,
) {
  const begun = begunOf(history);
  const is: Is<Answered> = (record): record is Answered =>
    isOk(record) && kinds.includes(begun.get(record.attempt)?.operation.what ?? 'sync');
  return replaceOne(history, random, is, (record) => {
    const answer = change(record.answer, begun.get(record.attempt) as Begun);
    return answer ? [{ ...record, answer }] : undefined;
  });
}
