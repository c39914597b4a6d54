import type { ErrorCode } from '../../../contracts/errors.ts';
import type { History, Operation } from '../record.ts';
import { checkChanges, checkReadState } from './changes.ts';
import { checkCursors } from './cursors.ts';
import { checkDevices } from './devices.ts';
import { Digest } from './digest.ts';
import { type Finding, Findings } from './findings.ts';
import { checkForwards } from './forwards.ts';
import { checkMembership } from './membership.ts';
import { checkOrder } from './order.ts';
import { checkOutbox } from './outbox.ts';
import { checkOwn } from './own.ts';
import { checkPins } from './pins.ts';
import { checkRights } from './rights.ts';
import { checkPages, checkSends } from './sends.ts';
import { checkStates } from './states.ts';
import { checkThreads } from './threads.ts';

export { type Finding, type Violation, violations } from './findings.ts';

/** Everything in a history that breaks one of the promises P1–P11 and P26; nothing for a history that keeps them. */
export function check(history: History): Finding[] {
  const digest = new Digest(history);
  const findings = new Findings();
  for (const pass of passes) pass(digest, findings);
  return findings.all;
}

const passes = [
  checkSends,
  checkPages,
  checkOrder,
  checkCursors,
  checkStates,
  checkChanges,
  checkReadState,
  checkMembership,
  checkRights,
  checkPins,
  checkThreads,
  checkForwards,
  checkOwn,
  checkOutbox,
  checkDevices,
  checkAnswers,
];

/** What people that do what these do may be refused with. */
const sensible = new Set<string>([
  'not_found',
  'forbidden',
  'idempotency_conflict',
  'limit_reached',
  'last_owner',
] satisfies ErrorCode[]);

/** Ends without an answer that no lost connection explains. */
const ownFaults = ['internal', 'status', 'the client says'];

function checkAnswers(digest: Digest, findings: Findings): void {
  for (const { who, operation, outcome, why } of digest.attempts) {
    const odd =
      outcome === 'refused'
        ? !sensible.has(why) && !(why === 'invalid_input' && mayName(operation))
        : outcome === 'unknown' && ownFaults.some((fault) => why.startsWith(fault));
    if (odd) findings.add('odd answer', `${who} asked ${JSON.stringify(operation)}: ${why}`);
  }
}

/** It names somebody, or a thread, that may be out of its sender's reach by now. */
const mayName = (operation: Operation) =>
  operation.what === 'send' && (operation.mention !== undefined || operation.thread !== undefined);
