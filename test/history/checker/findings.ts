/** Every kind of violation that the checker knows, with the promise that it breaks. */
export const violations = {
  /** An acked send does not stand where its answer said. */
  lost: 'P1',
  /** A message that somebody wrote on a device waits there still when everything rests. */
  'still waiting': 'P1',
  /** A page left out a message that was acked before the page was asked for. */
  'not readable': 'P1',
  'refused appears': 'P2',
  /** Two rows for one clientId. */
  doubled: 'P3',
  /** Two answers for one clientId name different messages. */
  'answers differ': 'P3',
  'other content accepted': 'P3',
  /** A seq or version is missing, or there twice. */
  gap: 'P4',
  /** Somebody saw something else at a seq or version than the others. */
  swapped: 'P4',
  /** Two messages of one device stand in another order than they were written in. */
  'out of turn': 'P4',
  /** Begun after another one was acked, and numbered before it. */
  'real-time inversion': 'P4',
  /** What stood in the log at one rest stands there otherwise at a later one. */
  rewritten: 'P4',
  /** A client went over a version without a word. */
  'silent gap': 'P5',
  /** At rest, a client does not hold what it belongs to, or in another version. */
  'not converged': 'P5',
  /** A client needed longer than is promised to come to what the database holds. */
  late: 'P5',
  /** At rest, a client shows other marks, counts or settings of its own person than the rows hold. */
  'own state astray': 'P5',
  /** At rest, a client shows others elsewhere than they are. */
  'others astray': 'P5',
  'shown twice': 'P6',
  /** A process told its person of a message twice, or after a later one. */
  'told out of turn': 'P6',
  'cursor went back': 'P7',
  /** A version that is not there yet got something else than a state to start from. */
  'cursor from the future': 'P7',
  /** A client, or a fresh reading, shows something else than the database holds. */
  diverged: 'P8',
  /** A deleted text was seen after its deletion was acked, or something of it is left. */
  resurrected: 'P8',
  /** An acked edit, deletion or reaction has left no trace. */
  'change lost': 'P8',
  /** A thread's summary is not what stands in it, or somebody who belongs to it does not follow it. */
  'thread broken': 'P8',
  'read mark went back': 'P9',
  'unread miscounted': 'P9',
  /** A draft, a mark, a setting or a block is not what its person said last. */
  'last word lost': 'P9',
  /** A message is marked as of somebody blocked for who has not blocked them, or not for who has. */
  'block not kept': 'P10',
  'heard outside membership': 'P10',
  'read outside membership': 'P10',
  'wrote outside membership': 'P10',
  /** A stored message is not in the outbox once. */
  'owed otherwise': 'P11',
  /** Somebody read-only wrote, or a member did what owners and admins do. */
  'did what they may not': 'P26',
  /** An answer that nobody may get: a fault of the system's own, or a refusal that makes no sense. */
  'odd answer': 'P30',
} as const;
export type Violation = keyof typeof violations;

export interface Finding {
  name: Violation;
  promise: string;
  detail: string;
}

/** Gathers what the passes find. */
export class Findings {
  readonly all: Finding[] = [];

  add(name: Violation, detail: string): void {
    this.all.push({ name, promise: violations[name], detail });
  }
}
