import type { Random } from '../random.ts';
import type { Begun, History, HistoryRecord, Operation, Role, StoredMessage } from '../record.ts';
import {
  type Is,
  type Plants,
  begunOf,
  isOk,
  isText,
  onRow,
  onShown,
  onStored,
  replaceOne,
  restsOf,
} from './change.ts';

/** Whoever wrote that line had another role since the entry before it. */
function demote(history: History, random: Random, fits: (row: StoredMessage) => boolean, role: Role) {
  return onRow(history, random, fits, ({ messages, changes }, { version, senderId }) => {
    const before = [...messages, ...changes].find((entry) => entry.version === version - 1);
    before?.roles.push({ userId: senderId, role });
  });
}

/** Changes what was asked for by somebody who was told that it is done. */
function onDone<What extends Operation['what']>(
  history: History,
  random: Random,
  what: What,
  change: (operation: Extract<Operation, { what: What }>) => Operation | undefined,
) {
  const done = new Set(history.flatMap((record) => (isOk(record) ? [record.attempt] : [])));
  const is: Is<Begun> = (record): record is Begun =>
    record.kind === 'begin' && record.operation.what === what && done.has(record.attempt);
  return replaceOne(history, random, is, (record) => {
    const operation = change(record.operation as Extract<Operation, { what: What }>);
    return operation && [{ ...record, operation }];
  });
}

/** What was pinned is another message, which never was. */
function forgetPin(history: History, random: Random): History | undefined {
  const last = lastOf(history);
  const pinned = new Set(last.flatMap(({ messages }) => messages.map(({ target }) => target)));
  const never = random.pick(last[0]?.messages.filter(({ kind, seq }) => kind === 'text' && !pinned.has(seq)) ?? []);
  return onDone(history, random, 'pin', (operation) =>
    operation.on && never && operation.conversation === last[0]?.conversation
      ? { ...operation, messageId: never.id }
      : undefined,
  );
}

const forgetRole = (history: History, random: Random) =>
  onDone(history, random, 'role', (operation) => ({ ...operation, role: 'owner' }));

/** A send is refused for want of a right that its sender never lacked. */
function refuseWriter(history: History, random: Random): History | undefined {
  const begun = begunOf(history);
  const lines = lastOf(history).flatMap(({ messages, changes }) => [...messages, ...changes]);
  const muted = new Set(
    lines.flatMap(({ roles }) => roles.flatMap(({ userId, role }) => (role === 'read_only' ? [userId] : []))),
  );
  const persons = new Map(
    history.flatMap((record): [string, string][] => (record.kind === 'client' ? [[record.who, record.person]] : [])),
  );
  return replaceOne(
    history,
    random,
    isRefusal,
    (record) =>
      begun.get(record.attempt)?.operation.what === 'send' &&
      !muted.has(persons.get(record.who) ?? '') && [{ ...record, code: 'forbidden' as const }],
  );
}

const isRefusal: Is<Extract<HistoryRecord, { kind: 'refused' }>> = (record) => record.kind === 'refused';

const lastOf = (history: History) =>
  history
    .filter((record) => record.kind === 'stored' && record.rest === Math.max(...restsOf(history)))
    .filter((record) => record.kind === 'stored');

export const rightsPlants: Plants = {
  'a read-only member writes': {
    found: 'did what they may not',
    plant: (history, random) => demote(history, random, isText, 'read_only'),
  },
  'a member changes roles': {
    found: 'did what they may not',
    plant: (history, random) => demote(history, random, ({ system }) => system === 'members.changed', 'member'),
  },
  'a role is lost': {
    found: 'change lost',
    plant: (history, random) =>
      onStored(history, random, ({ members }) => {
        const member = random.pick(members.filter(({ present }) => present));
        if (member) member.role = member.role === 'admin' ? 'member' : 'admin';
        return member !== undefined;
      }),
  },
  'a role was acked and never given': { found: 'change lost', plant: forgetRole },
  'somebody who may write is told that they may not': { found: 'odd answer', plant: refuseWriter },
  'a pin is lost': {
    found: 'change lost',
    plant: (history, random) =>
      onRow(
        history,
        random,
        ({ pinned }) => pinned,
        (_, row) => void (row.pinned = false),
      ),
  },
  'a pin was acked and never made': { found: 'change lost', plant: forgetPin },
  'a client misses a pin': {
    found: 'diverged',
    plant: (history, random) => onShown(history, random, (message) => message.pinned && { ...message, pinned: false }),
  },
};
