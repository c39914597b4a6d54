import type { Random } from '../random.ts';
import type { History } from '../record.ts';
import { begunOf, onAnswer, onStored } from './change.ts';

/** Replies whose thread is named by a send that was acked. */
export function moveReply(history: History, random: Random): History | undefined {
  return onStored(history, random, ({ messages }) => {
    const row = random.pick(messages.filter(({ threadSeq }) => threadSeq !== null));
    if (row) Object.assign(row, { threadSeq: null, threadId: null });
    return row !== undefined;
  });
}

/** Somebody who never said that they follow it no more. */
export function unfollow(history: History, random: Random): History | undefined {
  const said = [...begunOf(history).values()].flatMap(({ who, operation }) =>
    operation.what === 'follow' && operation.following === false ? [who] : [],
  );
  const persons = history.flatMap((record) =>
    record.kind === 'client' && said.includes(record.who) ? [record.person] : [],
  );
  return onStored(history, random, ({ followers, messages }) => {
    const wrote = followers.filter(
      ({ rootSeq, userId }) =>
        messages.some(({ threadSeq, senderId }) => threadSeq === rootSeq && senderId === userId) &&
        messages.every(({ left }) => !left.includes(userId)),
    );
    const row = random.pick(wrote.filter(({ userId }) => !persons.includes(userId)));
    if (row) row.following = false;
    return row !== undefined;
  });
}

/** The fresh list at a rest says less than an answer before it. */
export function readThreadBack(history: History, random: Random): History | undefined {
  const gone = new Set(
    history.flatMap((record) => (record.kind === 'stored' ? record.messages.flatMap(({ left }) => left) : [])),
  );
  return onAnswer(history, random, ['threads'], ({ threads = [] }, { at, who }) => {
    if ([...gone].some((person) => who.startsWith(`${person}/`))) return undefined;
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
