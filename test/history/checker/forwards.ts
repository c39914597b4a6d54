import type { Digest } from './digest.ts';
import type { Findings } from './findings.ts';

/** P8 and P10: what is forwarded names where it was first written, and was there to be read by who forwarded it. */
export function checkForwards(digest: Digest, findings: Findings): void {
  for (const { operation, outcome, answer, person, who } of digest.of('forward')) {
    const from = digest.truth.get(operation.from);
    const origin = from?.messages.get(from.seqs.get(operation.messageId) ?? 0);
    const row = digest.truth.get(operation.conversation)?.messages.get(answer.message?.seq ?? 0);
    if (outcome !== 'ok' || !row) continue;
    const readable = from?.spans(person).some(({ to, afterSeq }) => {
      return origin !== undefined && origin.seq > afterSeq && origin.version <= to;
    });
    if (!readable)
      findings.add('read outside membership', `${who} forwarded ${operation.messageId} of ${operation.from}`);
    // Of a deleted origin it is not known any more where it came from itself.
    const wanted = origin?.deleted ? row.forwarded : (origin?.forwarded ?? operation.messageId);
    if (!row.deleted && (row.forwarded === null || row.forwarded !== wanted))
      findings.add('change lost', `${operation.clientId} is forwarded from ${row.forwarded}, not from ${wanted}`);
  }
}
