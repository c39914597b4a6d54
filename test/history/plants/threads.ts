import type { Random } from '../random.ts';
import type { History } from '../record.ts';
import { type Plants, begunOf, onAnswer, onRow, onShown, onStored } from './change.ts';
import { onFreshSync } from './sends.ts';

/** Replies whose thread is named by a send that was acked. */
function moveReply(history: History, random: Random): History | undefined {
  return onStored(history, random, ({ messages }) => {
    const row = random.pick(messages.filter(({ threadSeq }) => threadSeq !== null));
    if (row) Object.assign(row, { threadSeq: null, threadId: null });
    return row !== undefined;
  });
}

/** Somebody who never said that they follow it no more. */
function unfollow(history: History, random: Random): History | undefined {
  const said = [...begunOf(history).values()].flatMap(({ who, operation }) =>
    operation.what === 'follow' && operation.following === false ? [who] : [],
  );
  const persons = history.flatMap((record) =>
    record.kind === 'client' && said.includes(record.who) ? [record.person] : [],
  );
  return onStored(history, random, ({ followers, messages }) => {
    const wrote = followers.filter(({ rootSeq, userId }) =>
      messages.some(({ threadSeq, senderId }) => threadSeq === rootSeq && senderId === userId),
    );
    const row = random.pick(wrote.filter(({ userId }) => !persons.includes(userId)));
    if (row) row.following = false;
    return row !== undefined;
  });
}

/** The fresh list at a rest says less than an answer before it. */
function readThreadBack(history: History, random: Random): History | undefined {
  return onAnswer(history, random, ['threads'], ({ threads = [] }, { at, who }) => {
    const read = new Set(
      history.flatMap((record) =>
        record.kind === 'ok' && record.at < at && who.startsWith(`${record.who}/`)
          ? (record.answer.threads ?? []).filter(({ readSeq }) => readSeq > 0).map(({ rootSeq }) => rootSeq)
          : [],
      ),
    );
    const place = threads.findIndex(({ rootSeq }) => read.has(rootSeq));
    const thread = threads[place];
    return thread && { threads: threads.with(place, { ...thread, readSeq: 0 }) };
  });
}

export const threadPlants: Plants = {
  'a client misses a reply in its thread': {
    found: 'diverged',
    plant: (history, random) =>
      onShown(history, random, (message) => message.thread !== null && { ...message, thread: null }),
  },
  'a client shows no mention': {
    found: 'diverged',
    plant: (history, random) =>
      onShown(history, random, (message) => message.mentions.length > 0 && { ...message, mentions: [] }),
  },
  'a mention is lost': {
    found: 'change lost',
    plant: (history, random) =>
      onRow(
        history,
        random,
        ({ mentions }) => mentions.length > 0,
        (_, row) => void (row.mentions = []),
      ),
  },
  'a thread counts one reply too many': {
    found: 'thread broken',
    plant: (history, random) =>
      onStored(history, random, ({ threads }) => {
        const thread = random.pick(threads);
        if (thread) thread.replyCount += 1;
        return thread !== undefined;
      }),
  },
  'a reply stands outside its thread': { found: 'thread broken', plant: moveReply },
  'somebody who wrote in a thread does not follow it': { found: 'thread broken', plant: unfollow },
  'a read mark in a thread goes back': { found: 'read mark went back', plant: readThreadBack },
  'what is unread in a thread is counted one too many': {
    found: 'unread miscounted',
    plant: (history, random) =>
      onAnswer(history, random, ['threads'], ({ threads = [] }) => {
        const [first, ...others] = threads;
        return first && { threads: [{ ...first, unread: first.unread + 1 }, ...others] };
      }),
  },
  'a mention in a thread is counted one too many': {
    found: 'unread miscounted',
    plant: (history, random) =>
      onAnswer(history, random, ['threads'], ({ threads = [] }) => {
        const [first, ...others] = threads;
        return first && { threads: [{ ...first, mentions: first.mentions + 1 }, ...others] };
      }),
  },
  'a mention is counted one too many': {
    found: 'unread miscounted',
    plant: (history, random) =>
      onFreshSync(history, random, (standing) => ({ ...standing, mentions: standing.mentions + 1 })),
  },
};
