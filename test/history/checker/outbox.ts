import type { Digest } from './digest.ts';
import type { Findings } from './findings.ts';
import type { Log } from './log.ts';

/**
 * P11: whatever is stored is owed to who is away, once. What the relay has worked off is kept beside the outbox: every
 * message that people wrote stands in exactly one range, and no line of the system in any.
 */
export function checkOutbox(digest: Digest, findings: Findings): void {
  for (const log of digest.truth.values()) checkOwed(log, findings);
}

function checkOwed({ stored, conversation }: Log, findings: Findings): void {
  const times = new Map<number, number>();
  for (const { seqFrom, seqTo } of stored.owed)
    for (let seq = seqFrom; seq <= seqTo; seq += 1) times.set(seq, (times.get(seq) ?? 0) + 1);
  for (const { seq, kind } of stored.messages) {
    const owed = times.get(seq) ?? 0;
    times.delete(seq);
    if (owed !== (kind === 'text' ? 1 : 0))
      findings.add('owed otherwise', `seq ${seq} of ${conversation}, ${kind}, stands ${owed} times in the outbox`);
  }
  if (times.size > 0)
    findings.add('owed otherwise', `${conversation} owes ${[...times.keys()].join()}, which is not there`);
}
