import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ConversationEvent, type Message, Snapshot } from '../../contracts/entities/index.ts';
import { type ConversationState, applyEvent, fromSnapshot, mergeMessage } from '../../sdk/reducer.ts';
import { SyncClient } from '../sync/client.ts';
import { type Log, makeLog, me, steps } from './log.ts';

const runs = { numRuns: 300 };
/** Numbers that say, entry by entry, how late it is told and what happens to it on its way. */
const chances = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  minLength: 64,
  maxLength: 64,
});

/** How far the conversation had come when the entry was told: at once, or at any later time. */
const toldAt = (log: Log, version: number, chance: number) =>
  chance < 0.4 ? version : version + Math.floor(chance * (log.version - version + 1));

function applyAll(state: ConversationState | undefined, log: Log, from: number, chance: readonly number[]) {
  let reached = state;
  for (let version = from; version <= log.version; version += 1) {
    reached = applyEvent(reached, log.entry(version, toldAt(log, version, chance[version % 64] ?? 0)), me);
  }
  return reached;
}

/** Members are compared without their order: it is that of their coming. */
const comparable = (state: ConversationState | undefined) =>
  state && {
    ...state,
    members: state.members && new Map([...state.members].sort(([a], [b]) => (a < b ? -1 : 1))),
    messages: new Map([...state.messages].sort(([a], [b]) => a - b)),
  };
const same = (state: ConversationState | undefined, log: Log, version = log.version) =>
  assert.deepEqual(comparable(state), comparable(fromSnapshot(log.snapshot(version))));

describe('the reducer', () => {
  it('is tried with logs and states that fit the contract', () => {
    fc.assert(
      fc.property(steps, (program) => {
        const log = makeLog(program);
        Snapshot.parse(log.snapshot(log.version));
        for (let version = 1; version <= log.version; version += 1)
          ConversationEvent.parse(log.entry(version, version));
      }),
      { numRuns: 50 },
    );
  });

  it('makes the fresh state of any log that is heard live', () => {
    fc.assert(
      fc.property(steps, (program) => {
        const log = makeLog(program);
        let state: ConversationState | undefined;
        for (let version = 1; version <= log.version; version += 1) {
          state = applyEvent(state, log.entry(version, version), me);
          same(state, log, version);
        }
      }),
      runs,
    );
  });

  it('makes the fresh state of any state in between and the entries after it, however late each was told', () => {
    fc.assert(
      fc.property(steps, fc.nat(1_000), chances, (program, cut, chance) => {
        const log = makeLog(program);
        const version = 1 + (cut % log.version);
        same(applyAll(fromSnapshot(log.snapshot(version)), log, version + 1, chance), log);
        same(applyAll(undefined, log, 1, chance), log);
      }),
      runs,
    );
  });

  it('makes the fresh state of what came doubled, shuffled and with holes, once these were asked for', () => {
    fc.assert(
      fc.property(steps, chances, fc.integer(), (program, chance, seed) => {
        const log = makeLog(program);
        const client = new SyncClient(me);
        const versions = Array.from({ length: log.version }, (_, n) => n + 1);
        const heard = versions.filter((version) => (chance[version % 64] ?? 0) > 0.3);
        const order = fc.sample(fc.shuffledSubarray([...heard, ...heard], { minLength: heard.length }), {
          seed,
          numRuns: 1,
        });
        for (const version of order[0] ?? []) client.hear(log.entry(version, version));
        const { id } = log.snapshot(1).conversation;
        const held = client.conversations.get(id)?.version ?? 0;
        const events = versions.slice(held).map((version) => log.entry(version, log.version));
        const change = { conversationId: id, version: log.version, how: 'events' as const, events, state: null };
        client.take({ changes: [change], standings: [], receipts: [], cursor: null });
        same(client.conversations.get(id), log);
        assert.equal(client.isBehind(id), false);
      }),
      runs,
    );
  });

  it('shows no message in an older state than before, and no deleted text again, on its way there', () => {
    fc.assert(
      fc.property(steps, chances, (program, chance) => {
        const log = makeLog(program);
        const shown = new Map<number, Message>();
        let state: ConversationState | undefined;
        for (let version = 1; version <= log.version; version += 1) {
          state = applyEvent(state, log.entry(version, toldAt(log, version, chance[version % 64] ?? 0)), me);
          for (const [seq, message] of state?.messages ?? []) {
            const before = shown.get(seq);
            assert.ok(message.changedVersion >= (before?.changedVersion ?? 0), `seq ${seq} went back`);
            assert.ok(before?.text !== null || message.text === null, `the text of seq ${seq} came back`);
            shown.set(seq, message);
          }
        }
      }),
      runs,
    );
  });

  it('takes a page of the history whenever it comes, and nothing that is held goes back by it', () => {
    fc.assert(
      fc.property(steps, fc.nat(1_000), fc.nat(1_000), chances, (program, cut, read, chance) => {
        const log = makeLog(program);
        const [version, readAt] = [1 + (cut % log.version), 1 + (read % log.version)];
        const state = fromSnapshot(log.snapshot(version));
        // The newest messages are held; a page that was read before or afterwards brings the others, and these again.
        const held = new Map([...state.messages].slice(-5));
        const sure = new Set(held.keys());
        for (const message of log.snapshot(readAt).messages) {
          if (message.seq > state.lastSeq) continue;
          mergeMessage(held, message);
          if (readAt >= version) sure.add(message.seq);
        }
        const reached = applyAll({ ...state, messages: held }, log, version + 1, chance);
        const fresh = fromSnapshot(log.snapshot(log.version)).messages;
        for (const seq of sure) assert.deepEqual(unthreaded(reached?.messages.get(seq)), unthreaded(fresh.get(seq)));
      }),
      runs,
    );
  });

  it('refuses an entry out of turn, and leaves the state that it was given as it was', () => {
    fc.assert(
      fc.property(steps, fc.nat(1_000), (program, cut) => {
        const log = makeLog(program);
        const version = 1 + (cut % log.version);
        const state = fromSnapshot(log.snapshot(version));
        const before = structuredClone(state);
        for (const wrong of [version, version + 2]) {
          if (wrong < 2 || wrong > log.version) continue;
          assert.throws(() => applyEvent(state, log.entry(wrong, wrong), me), /out of turn/);
        }
        if (version < log.version) applyEvent(state, log.entry(version + 1, version + 1), me);
        assert.deepEqual(state, before);
      }),
      runs,
    );
  });
});

/** The thread is told with the replies, not with the message itself. */
const unthreaded = (message: Message | undefined) => ({ ...message, thread: null });
