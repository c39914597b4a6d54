import { type Digest, Floors } from './digest.ts';
import type { Findings } from './findings.ts';
import { type Log, type LogEntry, sameMessage } from './log.ts';

/** P4: one order of everything in a conversation, the same for everybody, without a hole. */
export function checkOrder(digest: Digest, findings: Findings): void {
  for (const logs of digest.logs.values()) for (const log of logs.values()) checkNumbers(log, findings);
  checkAgreement(digest, findings);
  checkRealTime(digest, findings);
  checkRewriting(digest, findings);
}

function checkNumbers({ stored }: Log, findings: Findings): void {
  const { conversation, messages, changes, version, lastSeq } = stored;
  if (messages.length !== lastSeq || messages.some(({ seq }, index) => seq !== index + 1))
    findings.add('gap', `the seqs of ${conversation} are not 1…${lastSeq}`);
  const versions = [...messages, ...changes].map((entry) => entry.version).sort((a, b) => a - b);
  if (versions.length !== version || versions.some((number, index) => number !== index + 1))
    findings.add('gap', `the versions of ${conversation} are not 1…${version}`);
  if (messages.some((message, index) => message.version <= (messages[index - 1]?.version ?? 0)))
    findings.add('swapped', `seq and version of ${conversation} run in different orders`);
  for (const change of changes) {
    const before = messages.findLast((message) => message.version < change.version)?.seq ?? 0;
    if (change.seq !== before)
      findings.add(
        'gap',
        `version ${change.version} of ${conversation} says ${change.seq} messages before it, not ${before}`,
      );
  }
}

/** Whoever saw a message or an entry saw the one that stands there. */
function checkAgreement(digest: Digest, findings: Findings): void {
  for (const { who, conversation, message } of digest.sightings) {
    const row = digest.truth.get(conversation)?.messages.get(message.seq);
    if (!row || !sameMessage(row, message))
      findings.add(
        'swapped',
        `${who} saw ${message.clientId} at seq ${message.seq} of ${conversation}, not ${row?.clientId}`,
      );
  }
  for (const { who, entry } of digest.tellings) {
    const row = digest.truth.get(entry.conversation)?.entries.get(entry.version);
    const same =
      row?.actor === entry.actor && (entry.type === 'hidden' || (row.type === entry.type && fits(row, entry.seq)));
    if (!same)
      findings.add(
        'swapped',
        `${who} was told ${entry.type} as version ${entry.version} of ${entry.conversation}, not ${row?.type}`,
      );
  }
}

/** A line of the timeline that pins or tells something is about its own message. */
const fits = (row: LogEntry, seq: number | null) => row.seq === seq;

interface Numbered {
  conversation: string;
  clientId: string;
  /** The first attempt's beginning, and the first answer that told the number. */
  begun: number;
  acked: number;
  version: number;
}

/** What began after something was acked comes after it. */
function checkRealTime(digest: Digest, findings: Findings): void {
  const numbered = [...numberedSends(digest), ...numberedEdits(digest)];
  const floors = new Floors();
  for (const { conversation, acked, version } of numbered) floors.of(conversation).add(acked, version);
  for (const { conversation, begun, version, clientId } of numbered) {
    const floor = floors.of(conversation).before(begun);
    if (version < floor)
      findings.add(
        'real-time inversion',
        `${clientId} is version ${version} of ${conversation}, begun when ${floor} was acked`,
      );
  }
}

const firstOf = (times: readonly number[]) => Math.min(Number.POSITIVE_INFINITY, ...times);

/** Every send that stands, acked or not. */
function numberedSends(digest: Digest): Numbered[] {
  const attempts = Map.groupBy(digest.sends(), ({ operation }) => operation.clientId);
  return [...digest.truth.values()].flatMap(({ conversation, stored }) =>
    stored.messages.flatMap(({ clientId, version }) => {
      const all = attempts.get(clientId) ?? [];
      if (all.length === 0) return [];
      const acks = all.filter(({ outcome }) => outcome === 'ok').map(({ ended }) => ended);
      const begun = firstOf(all.map((attempt) => attempt.begun));
      return [{ conversation, clientId, version, begun, acked: firstOf(acks) }];
    }),
  );
}

/** Edits whose answer tells the number: it still says what the edit said. */
function numberedEdits(digest: Digest): Numbered[] {
  const attempts = Map.groupBy(digest.of('edit'), ({ operation }) => operation.clientId);
  return [...attempts].flatMap(([clientId, all]) => {
    const told = all.find(({ answer, operation, person }) => {
      const entry = digest.truth.get(operation.conversation)?.entries.get(answer.message?.changedVersion ?? 0);
      return answer.message?.text === operation.text && entry?.type === 'message.edited' && entry.actor === person;
    });
    const version = told?.answer.message?.changedVersion;
    if (!told || version === undefined) return [];
    const begun = firstOf(all.map((attempt) => attempt.begun));
    return [{ conversation: told.operation.conversation, clientId, version, begun, acked: told.ended }];
  });
}

function checkRewriting(digest: Digest, findings: Findings): void {
  for (const logs of digest.logs.values())
    for (const [conversation, log] of logs)
      for (const entry of log.entries.values()) {
        const now = digest.truth.get(conversation)?.entries.get(entry.version);
        if (now?.type !== entry.type || now.actor !== entry.actor || now.seq !== entry.seq)
          findings.add(
            'rewritten',
            `version ${entry.version} of ${conversation} was ${entry.type} and is ${now?.type}`,
          );
      }
}
