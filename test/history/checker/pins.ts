import type { Digest } from './digest.ts';
import type { Findings } from './findings.ts';
import type { Log } from './log.ts';

const about = new Set(['message.pinned', 'message.unpinned', 'message.deleted']);

/** P8: what is pinned is what the log says, and whoever was told that they changed a pin finds it there. */
export function checkPins(digest: Digest, findings: Findings): void {
  for (const log of digest.truth.values()) checkRows(log, findings);
  for (const { operation, outcome } of digest.of('pin')) {
    const log = digest.truth.get(operation.conversation);
    if (outcome !== 'ok' || !log || !operation.on) continue;
    const touches = log.touches(log.seqs.get(operation.messageId) ?? 0);
    if (!touches.some(({ type }) => type === 'message.pinned'))
      findings.add('change lost', `the pin of ${operation.messageId} was acked and is not in the log`);
  }
}

function checkRows(log: Log, findings: Findings): void {
  for (const { seq, pinned } of log.stored.messages) {
    const last = log.touches(seq).findLast(({ type }) => about.has(type));
    if (pinned !== (last?.type === 'message.pinned'))
      findings.add('change lost', `seq ${seq} of ${log.conversation} is ${pinned ? '' : 'not '}pinned, unlike the log`);
  }
}
