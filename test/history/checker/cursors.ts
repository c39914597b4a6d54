import type { Moved } from '../record.ts';
import type { Digest } from './digest.ts';
import type { Findings } from './findings.ts';

/** P5–P7: every client goes through the log step by step and never back. */
export function checkCursors(digest: Digest, findings: Findings): void {
  const reached = new Map<string, number>();
  for (const move of digest.moves) {
    const key = `${move.who} ${move.conversation}`;
    checkMove(move, reached.get(key) ?? 0, findings);
    reached.set(key, Math.max(reached.get(key) ?? 0, move.version));
  }
  for (const { who, operation, outcome, answer } of digest.of('after')) {
    const head = digest.truth.get(operation.conversation)?.stored.version ?? 0;
    if (outcome === 'ok' && operation.version > head && (answer.snapshots ?? []).length === 0)
      findings.add('cursor from the future', `${who} asked after ${operation.version}, where ${head} is the last`);
  }
  checkViews(digest, findings);
}

function checkMove({ kind, who, conversation, version }: Moved, before: number, findings: Findings): void {
  const where = `${who} in ${conversation}: ${kind} ${version} after ${before}`;
  if (kind === 'applied' && version > before + 1) findings.add('silent gap', where);
  if (kind === 'applied' && version <= before) findings.add('shown twice', where);
  if (kind === 'replaced' && version <= before) findings.add('cursor went back', where);
  if (kind === 'ended' && version < before) findings.add('cursor went back', where);
}

/** No message stands twice in what a client shows. */
function checkViews(digest: Digest, findings: Findings): void {
  for (const { who, conversation, held } of digest.states) {
    const messages = held?.messages ?? [];
    const distinct = Math.min(
      ...(['seq', 'id'] as const).map((name) => new Set(messages.map((message) => message[name])).size),
    );
    if (distinct < messages.length) findings.add('shown twice', `${who} shows a message of ${conversation} twice`);
  }
}
