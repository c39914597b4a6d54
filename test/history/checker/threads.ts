import type { Followed, StoredMessage } from '../record.ts';
import type { Attempt } from './digest.ts';
import { type Digest, Floors } from './digest.ts';
import type { Findings } from './findings.ts';
import type { Log } from './log.ts';

/** P8 and P9: threads hold what was written in them, and each reader's mark and following in them are their own. */
export function checkThreads(digest: Digest, findings: Findings): void {
  const [refused, blocks] = [unfollowed(digest), blocksTried(digest)];
  for (const log of digest.truth.values()) {
    checkSummaries(log, findings);
    checkFollowers(log, { refused, blocks }, findings);
  }
  for (const { operation, answer } of digest.of('send')) {
    const log = digest.truth.get(operation.conversation);
    const row = log?.messages.get(answer.message?.seq ?? 0);
    const wanted = operation.thread === undefined ? null : rootOf(log, operation.thread);
    if (log && row && row.clientId === operation.clientId && row.threadSeq !== wanted)
      findings.add('thread broken', `${operation.clientId} stands in the thread of ${row.threadSeq}, not of ${wanted}`);
  }
  checkMarks(digest, findings);
  checkLists(digest, findings);
}

/** The first message of the thread that a message stands in, or would begin. */
function rootOf(log: Log | undefined, messageId: string): number | undefined {
  const seq = log?.seqs.get(messageId);
  return log?.messages.get(seq ?? 0)?.threadSeq ?? seq;
}

const repliesOf = (log: Log) =>
  Map.groupBy(
    log.stored.messages.filter(({ threadSeq }) => threadSeq !== null),
    ({ threadSeq }) => threadSeq ?? 0,
  );

function checkSummaries(log: Log, findings: Findings): void {
  const replies = repliesOf(log);
  const rows = new Map(log.stored.threads.map((row) => [row.rootSeq, `${row.replyCount} to ${row.lastSeq}`]));
  for (const rootSeq of new Set([...replies.keys(), ...rows.keys()])) {
    const all = replies.get(rootSeq) ?? [];
    const counted = `${all.filter(({ deleted }) => !deleted).length} to ${all.at(-1)?.seq}`;
    const root = log.messages.get(rootSeq);
    const apart = all.some(({ threadId, seq }) => threadId !== root?.id || seq <= rootSeq);
    if (rows.get(rootSeq) !== counted || root?.threadSeq !== null || apart)
      findings.add('thread broken', `seq ${rootSeq} of ${log.conversation}: ${rows.get(rootSeq)}, not ${counted}`);
  }
}

const keyOf = (conversation: string, rootSeq: number | undefined, person: string) =>
  `${conversation} ${rootSeq} ${person}`;

/** Threads that somebody has tried to follow no more. */
const unfollowed = (digest: Digest) =>
  new Set(
    digest
      .of('follow')
      .filter(({ operation }) => operation.following === false)
      .map(({ operation: { conversation, messageId }, person }) =>
        keyOf(conversation, rootOf(digest.truth.get(conversation), messageId), person),
      ),
  );

/** Whom somebody has tried to block, which may have been so for a while: `person other`. */
const blocksTried = (digest: Digest) =>
  new Set(
    digest
      .of('block')
      .filter(({ operation }) => operation.on)
      .map(({ operation, person }) => `${person} ${operation.person}`),
  );

/**
 * Who wrote in a thread, began it or is mentioned in it by whom they have not blocked follows it until they say otherwise; a
 * writer has read so far. So it stays when they go and come back.
 */
function checkFollowers(
  log: Log,
  { refused, blocks }: Record<'refused' | 'blocks', ReadonlySet<string>>,
  findings: Findings,
): void {
  const rows = new Map(log.stored.followers.map((row) => [`${row.rootSeq} ${row.userId}`, row]));
  for (const [rootSeq, all] of repliesOf(log)) {
    const root = log.messages.get(rootSeq)?.senderId ?? '';
    const named = ({ senderId, mentions }: StoredMessage) =>
      mentions.filter((who) => !blocks.has(`${who} ${senderId}`));
    for (const person of new Set([root, ...all.flatMap((reply) => [reply.senderId, ...named(reply)])])) {
      const row = rows.get(`${rootSeq} ${person}`);
      const where = `${person} in the thread of seq ${rootSeq} of ${log.conversation}`;
      if (!row?.following && !refused.has(keyOf(log.conversation, rootSeq, person)))
        findings.add('thread broken', `${where} does not follow it, and never said so`);
      const written = all.findLast(({ senderId }) => senderId === person)?.seq ?? 0;
      if ((row?.readSeq ?? 0) < written)
        findings.add('read mark went back', `${where}: ${row?.readSeq} after writing ${written}`);
    }
  }
}

/** Read marks in threads go forward only. */
function checkMarks(digest: Digest, findings: Findings): void {
  const floors = new Floors();
  const told = [...digest.of('follow'), ...digest.of('threads')].flatMap((attempt) =>
    (attempt.answer.threads ?? []).map((thread) => ({
      ...{ key: keyOf(attempt.operation.conversation, thread.rootSeq, attempt.person), readSeq: thread.readSeq },
      ...{ begun: attempt.begun, ended: attempt.ended },
    })),
  );
  for (const { key, ended, readSeq } of told) floors.of(key).add(ended, readSeq);
  const expect = (key: string, readSeq: number, begun: number) => {
    const floor = floors.of(key).before(begun);
    if (readSeq < floor) findings.add('read mark went back', `in the thread of ${key}: ${readSeq} after ${floor}`);
  };
  for (const { key, begun, readSeq } of told) expect(key, readSeq, begun);
  for (const [conversation, { stored }] of digest.truth)
    for (const { rootSeq, userId, readSeq } of stored.followers)
      expect(keyOf(conversation, rootSeq, userId), readSeq, stored.at);
}

/** A list that is asked for at rest is that of the rows. */
function checkLists(digest: Digest, findings: Findings): void {
  const restOf = new Map(digest.states.filter(({ fresh }) => fresh).map(({ who, rest }) => [who, rest]));
  for (const attempt of digest.of('threads')) {
    const rest = restOf.get(attempt.who) ?? -1;
    const log = digest.logs.get(rest)?.get(attempt.operation.conversation);
    const own = digest.personal.find((one) => one.rest === rest && one.person === attempt.person);
    const limits = { limit: attempt.operation.limit, blocked: own?.blocked ?? [] };
    if (log && attempt.outcome === 'ok') checkList(attempt, log, limits, findings);
  }
}

const inWords = ({ rootSeq, readSeq, unread, mentions }: Followed) =>
  `${rootSeq} read ${readSeq} unread ${unread} with ${mentions} mentions`;

function checkList(
  { answer, person }: Attempt,
  log: Log,
  { limit, blocked }: { limit: number; blocked: readonly string[] },
  findings: Findings,
): void {
  const replies = repliesOf(log);
  const afterSeq = log.spans(person).at(-1)?.afterSeq ?? 0;
  const last = (rootSeq: number) => replies.get(rootSeq)?.at(-1)?.seq ?? 0;
  const unread = ({ rootSeq, readSeq }: { rootSeq: number; readSeq: number }) =>
    (replies.get(rootSeq) ?? []).filter(
      ({ seq, senderId, deleted }) => seq > readSeq && senderId !== person && !blocked.includes(senderId) && !deleted,
    );
  const mentions = (messages: readonly StoredMessage[]) =>
    messages.filter((message) => message.mentions.includes(person)).length;
  const wanted = log.stored.followers
    .filter(({ userId, following, rootSeq }) => userId === person && following && rootSeq > afterSeq)
    .filter(({ rootSeq }) => replies.has(rootSeq))
    .sort((a, b) => last(b.rootSeq) - last(a.rootSeq))
    .slice(0, limit)
    .map((row) => ({ ...row, unread: unread(row).length, mentions: mentions(unread(row)) }))
    .map(inWords);
  const got = (answer.threads ?? []).map(inWords);
  if (got.join() !== wanted.join())
    findings.add(
      'unread miscounted',
      `threads of ${person} in ${log.conversation}: ${got.join()}, not ${wanted.join()}`,
    );
}
