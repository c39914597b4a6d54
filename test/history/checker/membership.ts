import type { Entry } from '../record.ts';
import type { Attempt, Digest, Sighting, Telling } from './digest.ts';
import type { Findings } from './findings.ts';
import type { Log, Span } from './log.ts';

/** P10: nobody hears, reads or writes anything outside their membership. */
export function checkMembership(digest: Digest, findings: Findings): void {
  const adds = addsBegun(digest);
  for (const telling of digest.tellings) checkTelling(telling, digest, adds, findings);
  for (const sighting of digest.sightings) checkSighting(sighting, digest, findings);
  for (const log of digest.truth.values()) checkWriters(log, findings);
  checkReads(digest, findings);
}

type Adds = (conversation: string, person: string, until: number) => number;

/** How many times somebody had begun to add this person by then: no more joinings than that can have happened. */
function addsBegun(digest: Digest): Adds {
  const begun = new Map<string, number[]>();
  for (const attempt of digest.of('add')) {
    const key = `${attempt.operation.conversation} ${attempt.operation.person}`;
    begun.set(key, [...(begun.get(key) ?? []), attempt.begun]);
  }
  return (conversation, person, until) =>
    (begun.get(`${conversation} ${person}`) ?? []).filter((at) => at <= until).length;
}

function checkTelling(
  { who, person, entry, ended, live }: Telling,
  digest: Digest,
  adds: Adds,
  findings: Findings,
): void {
  const log = digest.truth.get(entry.conversation);
  if (!log) return;
  const joined = log.spans(person).filter(({ joining }) => joining <= adds(entry.conversation, person, ended));
  if (joined.some((span) => mayHear(span, entry, readsAll(digest, entry.conversation)))) return;
  findings.add(
    'heard outside membership',
    `${who} was told ${entry.type}, version ${entry.version} of ${entry.conversation}, ${live ? 'live' : 'when it asked'}; ` +
      `it belonged to it ${joined.map(({ from, to }) => `${from}…${to}`).join(', ') || 'never'}`,
  );
}

const readsAll = (digest: Digest, conversation: string) => digest.rooms.get(conversation)?.history === 'all';

/** Where the past may be read, it may be told; where it may not, it only takes its number. */
function mayHear({ from, to, afterSeq }: Span, { version, type, seq }: Entry, all: boolean): boolean {
  if (version > to) return false;
  if (all || type === 'hidden') return true;
  return version >= from && (seq === null || seq > afterSeq);
}

function checkSighting({ who, person, conversation, message }: Sighting, digest: Digest, findings: Findings): void {
  const spans = digest.truth.get(conversation)?.spans(person) ?? [];
  if (spans.some(({ to, afterSeq }) => message.seq > afterSeq && message.version <= to)) return;
  findings.add('read outside membership', `${who} was shown seq ${message.seq} of ${conversation}`);
}

/** Whoever wrote was a member at that version. */
function checkWriters(log: Log, findings: Findings): void {
  for (const { version, type, actor, left } of log.entries.values()) {
    const inside = log
      .spans(actor)
      .some(({ from, to }) => from <= version && (version < to || (version === to && left.includes(actor))));
    if (!inside)
      findings.add('wrote outside membership', `${actor} made ${type}, version ${version} of ${log.conversation}`);
  }
}

/**
 * After a removal was acked, and until an adding begins, the person is answered nothing of the conversation but what they
 * had sent themselves.
 */
function checkReads(digest: Digest, findings: Findings): void {
  const removals = Map.groupBy(
    digest.attempts.filter(
      ({ outcome, operation: { what } }) => outcome === 'ok' && (what === 'remove' || what === 'leave'),
    ),
    (attempt) => keyOf(attempt),
  );
  const adds = Map.groupBy(digest.of('add'), (attempt) => keyOf(attempt));
  for (const attempt of digest.attempts) {
    for (const conversation of answeredOf(attempt)) {
      const key = `${conversation} ${attempt.person}`;
      const removal = removals.get(key)?.findLast(({ ended }) => ended < attempt.begun);
      const returning = adds.get(key)?.some((add) => add.ended > (removal?.begun ?? 0) && add.begun < attempt.ended);
      if (removal && !returning)
        findings.add(
          'read outside membership',
          `${attempt.who} was answered ${attempt.operation.what} of ${conversation} after the removal`,
        );
    }
  }
}

function keyOf({ operation, person }: Attempt): string {
  if (!('conversation' in operation)) return '';
  return `${operation.conversation} ${'person' in operation ? operation.person : person}`;
}

/** Conversations that an answer tells something of which only members are told. */
function answeredOf(attempt: Attempt): readonly string[] {
  const { outcome, operation, answer } = attempt;
  if (outcome !== 'ok' || saysWhatWasSent(attempt)) return [];
  if (operation.what === 'sync') return (answer.standings ?? []).map(({ conversation }) => conversation);
  if (!('conversation' in operation) || asksNothing.has(operation.what)) return [];
  return [operation.conversation];
}

/** A repeat is answered as it was sent, also to who is gone by now, or as deleted; and nothing else that came to it since. */
function saysWhatWasSent({ operation: { what }, answer: { repeated, message }, person }: Attempt): boolean {
  if ((what !== 'send' && what !== 'forward') || !repeated || message?.senderId !== person) return false;
  const { changedVersion, version, deleted, text, pinned, thread, reactions } = message;
  const asItWas = deleted ? text === null : changedVersion === version;
  return asItWas && !pinned && thread === null && reactions.length === 0;
}

/** Whoever is gone may be gone once more, and throw a draft away. */
const asksNothing = new Set(['leave', 'draft']);
