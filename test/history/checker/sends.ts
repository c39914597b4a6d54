import type { OperationOf } from '../record.ts';
import { type Attempt, type Digest, Floors } from './digest.ts';
import type { Findings } from './findings.ts';
import type { Log } from './log.ts';

type SendAttempt = Attempt & { operation: OperationOf<'send' | 'forward'> };

/** P1–P3: what became of the sends. */
export function checkSends(digest: Digest, findings: Findings): void {
  const sends = digest.sends();
  for (const { operation, answer, outcome } of sends) {
    const acked = outcome === 'ok' ? answer.message : undefined;
    const row = acked && digest.truth.get(operation.conversation)?.messages.get(acked.seq);
    if (acked && (row?.id !== acked.id || row.clientId !== operation.clientId))
      findings.add(
        'lost',
        `${operation.clientId} was acked as seq ${acked.seq}, where ${row?.clientId ?? 'nothing'} stands`,
      );
  }
  const byClientId = Map.groupBy(sends, ({ operation }) => operation.clientId);
  for (const [clientId, attempts] of byClientId) checkOne(clientId, attempts, findings);
  checkRows(digest, byClientId, findings);
}

function checkOne(clientId: string, attempts: readonly SendAttempt[], findings: Findings): void {
  const acked = attempts.filter(({ outcome }) => outcome === 'ok');
  const names = new Set(
    acked.map(({ answer: { message } }) => `${message?.id} seq ${message?.seq} version ${message?.version}`),
  );
  if (names.size > 1) findings.add('answers differ', `${clientId}: ${[...names].join(', ')}`);
  // Of a deleted message the content is gone, and with it the comparison.
  const texts = new Set(
    acked.filter(({ answer }) => !answer.message?.deleted).map(({ operation }) => contentOf(operation)),
  );
  if (texts.size > 1) findings.add('other content accepted', `${clientId}: ${[...texts].join(' / ')}`);
  for (const { operation, begun, why, who } of attempts) {
    const before = acked.some((one) => one.ended < begun && contentOf(one.operation) === contentOf(operation));
    if (before && why === 'idempotency_conflict')
      findings.add('answers differ', `${clientId} was acked, and its repeat by ${who} was a conflict`);
  }
}

const contentOf = (operation: SendAttempt['operation']) =>
  operation.what === 'forward' ? operation.messageId : operation.text;

function checkRows(digest: Digest, sends: ReadonlyMap<string, SendAttempt[]>, findings: Findings): void {
  for (const { stored } of digest.truth.values()) {
    const counts = new Map<string, number>();
    for (const { clientId, kind, seq } of stored.messages) {
      counts.set(clientId, (counts.get(clientId) ?? 0) + 1);
      if (kind === 'text' && sends.get(clientId)?.every(({ outcome }) => outcome === 'refused') !== false)
        findings.add('refused appears', `${clientId} stands at seq ${seq} of ${stored.conversation}`);
    }
    for (const [clientId, count] of counts)
      if (count > 1) findings.add('doubled', `${clientId} stands ${count} times in ${stored.conversation}`);
  }
}

/** P1: what was acked before a page was asked for stands in the page. */
export function checkPages(digest: Digest, findings: Findings): void {
  const floors = new Floors();
  for (const { operation, answer, outcome, ended } of digest.sends())
    if (outcome === 'ok' && answer.message) floors.of(operation.conversation).add(ended, answer.message.seq);
  for (const attempt of digest.of('page')) {
    const log = digest.truth.get(attempt.operation.conversation);
    if (attempt.outcome !== 'ok' || !log) continue;
    const floor = floors.of(attempt.operation.conversation).before(attempt.begun);
    const fault = faultOf(attempt, log, floor);
    if (fault) findings.add('not readable', `${attempt.who} asked ${JSON.stringify(attempt.operation)}: ${fault}`);
  }
}

function faultOf(attempt: Attempt & { operation: OperationOf<'page'> }, log: Log, floor: number): string | undefined {
  const { before, after, limit } = attempt.operation;
  const seqs = (attempt.answer.messages ?? []).map(({ seq }) => seq);
  const [first, last] = [seqs[0] ?? 0, seqs.at(-1) ?? 0];
  if (seqs.some((seq, index) => seq !== first + index)) return `${seqs.join(' ')} has holes`;
  const begins = log.spans(attempt.person).map(({ afterSeq }) => afterSeq + 1);
  const fromStart = begins.includes(first) || seqs.length === 0;
  if (after !== undefined) {
    if (seqs.length > 0 && first !== after + 1 && !fromStart) return `it begins with ${first}`;
    // Back since: in a channel coming leaves no line, so that nothing is to be read until somebody writes.
    if (seqs.length === 0 && begins.some((begin) => begin > floor)) return undefined;
    return seqs.length < limit && last < floor && floor > after
      ? `it ends with ${last}, and ${floor} was acked`
      : undefined;
  }
  if (seqs.length < limit && !fromStart) return `it begins with ${first}`;
  if (before === undefined)
    return last < floor && seqs.length > 0 ? `it ends with ${last}, and ${floor} was acked` : undefined;
  return seqs.length > 0 && last !== before - 1 ? `it ends with ${last}` : undefined;
}
