import type { OperationOf } from '../record.ts';
import { type Attempt, type Digest, Floors } from './digest.ts';
import type { Findings } from './findings.ts';
import type { Log } from './log.ts';

/** P8: edits, deletions and reactions that were acked are there, and what was deleted stays so. */
export function checkChanges(digest: Digest, findings: Findings): void {
  for (const attempt of digest.of('edit')) checkEdit(attempt, digest, findings);
  for (const attempt of digest.of('react')) checkReaction(attempt, digest, findings);
  checkDeletions(digest, findings);
  for (const log of digest.truth.values()) {
    checkTexts(log, digest, findings);
    checkTombstones(log, findings);
    checkReactionRows(log, findings);
  }
}

function checkEdit(attempt: Attempt & { operation: OperationOf<'edit'> }, digest: Digest, findings: Findings): void {
  const { answer, operation, person } = attempt;
  const { message } = answer;
  const log = digest.truth.get(operation.conversation);
  if (!message || !log) return;
  const edits = log.touches(message.seq).filter(({ type, actor }) => type === 'message.edited' && actor === person);
  if (!edits.some(({ version }) => version <= message.changedVersion))
    findings.add('change lost', `the edit ${operation.clientId} was acked and is not in the log`);
}

function checkReaction(
  attempt: Attempt & { operation: OperationOf<'react'> },
  digest: Digest,
  findings: Findings,
): void {
  const { answer, operation, person } = attempt;
  const { message } = answer;
  const log = digest.truth.get(operation.conversation);
  if (!message || !log) return;
  const last = log
    .touches(message.seq)
    .findLast(
      ({ version, actor, emoji, type }) =>
        version <= message.changedVersion &&
        ((actor === person && emoji === operation.emoji) || type === 'message.deleted'),
    );
  if ((last?.type === 'reaction.added') !== operation.on)
    findings.add(
      'change lost',
      `${person} ${operation.on ? 'reacted' : 'took back'} ${operation.emoji} at seq ${message.seq}, by the answer only`,
    );
}

/** After its deletion was acked nobody is shown the text of a message any more. */
function checkDeletions(digest: Digest, findings: Findings): void {
  const deleted = new Map<string, number>();
  for (const { answer, operation, ended } of digest.of('delete')) {
    const { message } = answer;
    if (!message) continue;
    const key = `${operation.conversation} ${message.seq}`;
    deleted.set(key, Math.min(deleted.get(key) ?? ended, ended));
    if (!digest.truth.get(operation.conversation)?.messages.get(message.seq)?.deleted)
      findings.add('change lost', `the deletion of seq ${message.seq} of ${operation.conversation} was acked`);
  }
  for (const { who, conversation, message, begun } of digest.sightings) {
    const since = deleted.get(`${conversation} ${message.seq}`);
    if (since !== undefined && begun > since && message.text !== null && !digest.heard.has(message))
      findings.add('resurrected', `${who} was shown seq ${message.seq} of ${conversation} after its deletion`);
  }
}

/** The text that stands is that of the last edit, or what was sent. */
function checkTexts(log: Log, digest: Digest, findings: Findings): void {
  const said = textsOf(digest);
  for (const { seq, id, clientId, text, kind, deleted, mentions } of log.stored.messages) {
    if (kind === 'system' || deleted) continue;
    const last = log.touches(seq).findLast(({ type }) => type === 'message.edited');
    const known = last && said.edited.get(`${id} ${last.version}`);
    const first = said.sent.get(clientId) ?? forwardedTexts(digest, said, clientId);
    const candidates = last ? (known === undefined ? said.tried.get(id) : [known]) : first;
    if (text === null || !candidates?.includes(text))
      findings.add('change lost', `seq ${seq} of ${log.conversation} says «${text}», which nobody has said last`);
    // An edit says nothing of mentions here, and leaves the words that they stand on.
    const named = said.named.get(clientId);
    if (mentions.join() !== (named ?? ''))
      findings.add('change lost', `seq ${seq} of ${log.conversation} mentions ${mentions.join()}, and not ${named}`);
  }
}

/** What the message that it was forwarded from may have said. */
function forwardedTexts(digest: Digest, said: Said, clientId: string): string[] {
  const forward = said.forwards.get(clientId);
  const origin = forward && digest.truth.get(forward.from);
  const row = origin?.messages.get(origin.seqs.get(forward?.messageId ?? '') ?? 0);
  if (!row) return [];
  const first = said.sent.get(row.clientId) ?? forwardedTexts(digest, said, row.clientId);
  return [...first, ...(said.tried.get(row.id) ?? [])];
}

interface Said {
  forwards: Map<string, OperationOf<'forward'>>;
  /** Whom a send mentions. */
  named: Map<string, string>;
  sent: Map<string, string[]>;
  /** What edits of a message said that may have happened. */
  tried: Map<string, string[]>;
  /** By message and version, where the answer told it. */
  edited: Map<string, string>;
}
const saidIn = new WeakMap<Digest, Said>();

function textsOf(digest: Digest): Said {
  const known = saidIn.get(digest);
  if (known) return known;
  const said: Said = { forwards: new Map(), named: new Map(), sent: new Map(), tried: new Map(), edited: new Map() };
  const note = (map: Map<string, string[]>, key: string, text: string) => map.set(key, [...(map.get(key) ?? []), text]);
  for (const { operation } of digest.of('forward')) said.forwards.set(operation.clientId, operation);
  for (const { operation, outcome } of digest.of('send')) {
    if (outcome !== 'refused') note(said.sent, operation.clientId, operation.text);
    if (operation.mention) said.named.set(operation.clientId, operation.mention);
  }
  for (const { operation, outcome, answer } of digest.of('edit')) {
    if (outcome !== 'refused') note(said.tried, operation.messageId, operation.text);
    const { message } = answer;
    if (message?.text === operation.text) said.edited.set(`${message.id} ${message.changedVersion}`, operation.text);
  }
  saidIn.set(digest, said);
  return said;
}

/** Of a deleted message nothing is left, and nothing comes after its deletion. */
function checkTombstones(log: Log, findings: Findings): void {
  const reacted = new Set(log.stored.reactions.map(({ seq }) => seq));
  for (const { seq, deleted, text, revisions, forwarded } of log.stored.messages) {
    const touches = log.touches(seq);
    const end = touches.findIndex(({ type }) => type === 'message.deleted');
    const where = `seq ${seq} of ${log.conversation}`;
    if (deleted !== end >= 0)
      findings.add('resurrected', `${where} is ${deleted ? '' : 'not '}deleted, and the log says otherwise`);
    if (deleted && (text !== null || revisions > 0 || reacted.has(seq) || forwarded !== null))
      findings.add('resurrected', `${where} is deleted, and something of it is left`);
    if (end >= 0 && end < touches.length - 1) findings.add('resurrected', `${where} was changed after its deletion`);
  }
}

/** The reactions that stand are those that the log makes. */
function checkReactionRows(log: Log, findings: Findings): void {
  const standing = new Set<string>();
  for (const { seq } of log.stored.messages)
    for (const { type, actor, emoji } of log.touches(seq)) {
      const key = `${seq} ${emoji} ${actor}`;
      if (type === 'reaction.added') standing.add(key);
      if (type === 'reaction.removed') standing.delete(key);
      if (type === 'message.deleted') for (const one of standing) if (one.startsWith(`${seq} `)) standing.delete(one);
    }
  const rows = new Set(log.stored.reactions.map(({ seq, emoji, userId }) => `${seq} ${emoji} ${userId}`));
  const differ = [...standing, ...rows].filter((one) => standing.has(one) !== rows.has(one));
  if (differ.length > 0)
    findings.add('change lost', `the log and the reactions of ${log.conversation} differ: ${differ.join(', ')}`);
}

/** P9: read marks go forward only, and what is unread is counted right. */
export function checkReadState(digest: Digest, findings: Findings): void {
  const floors = new Floors();
  for (const { person, operation, answer, ended } of digest.of('read'))
    if (answer.readSeq !== undefined) floors.of(`${person} ${operation.conversation}`).add(ended, answer.readSeq);
  const expect = (person: string, conversation: string, readSeq: number, begun: number, least = 0) => {
    const floor = Math.max(least, floors.of(`${person} ${conversation}`).before(begun));
    if (readSeq < floor) findings.add('read mark went back', `${person} in ${conversation}: ${readSeq} after ${floor}`);
  };
  for (const { person, operation, answer, begun } of digest.of('read'))
    if (answer.readSeq !== undefined) expect(person, operation.conversation, answer.readSeq, begun, operation.seq);
  for (const { person, answer, begun } of digest.attempts)
    for (const { conversation, readSeq } of answer.standings ?? []) expect(person, conversation, readSeq, begun);
  for (const [conversation, { stored }] of digest.truth)
    for (const { userId, readSeq } of stored.members) expect(userId, conversation, readSeq, stored.at);
  checkUnread(digest, findings);
}

/** A fresh reading is made at rest, so its counts are those of the rows. */
function checkUnread(digest: Digest, findings: Findings): void {
  const restOf = new Map(digest.states.filter(({ fresh }) => fresh).map(({ who, rest }) => [who, rest]));
  for (const { who, person, answer } of digest.of('sync')) {
    const rest = restOf.get(who) ?? -1;
    const logs = digest.logs.get(rest);
    const blocked = digest.personal.find((one) => one.rest === rest && one.person === person)?.blocked ?? [];
    for (const { conversation, unread, mentions, readSeq } of logs ? (answer.standings ?? []) : []) {
      const log = logs?.get(conversation);
      const from = Math.max(readSeq, log?.spans(person).at(-1)?.afterSeq ?? 0);
      const counted = log?.stored.messages.filter(
        ({ seq, senderId, deleted, kind, threadSeq }) =>
          seq > from &&
          senderId !== person &&
          !blocked.includes(senderId) &&
          !deleted &&
          kind === 'text' &&
          threadSeq === null,
      );
      const named = counted?.filter((message) => message.mentions.includes(person));
      if (counted && counted.length !== unread)
        findings.add('unread miscounted', `${person} in ${conversation}: ${unread}, not ${counted.length}`);
      if (named && named.length !== mentions)
        findings.add(
          'unread miscounted',
          `${person} is mentioned in ${conversation}: ${mentions}, not ${named.length}`,
        );
    }
  }
}
