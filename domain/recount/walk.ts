import type { Tx } from '../../db/client.ts';
import type { Difference, KeptDifference, WalkPlace } from '../../db/queries/differences.ts';
import type { DifferenceKind } from '../../contracts/entities/index.ts';
import type { RecountedLook } from '../deps.ts';

export type Found = Difference & { kind: DifferenceKind };

/** What one look along a walk came to. */
export interface Look {
  /** Things looked at: messages, episodes, attempts. */
  looked: number;
  /** Those of them, or of what they come to, that agree, and of which nobody can say: the rules were changed since. */
  agreed: number;
  excused: number;
  differences: Found[];
  /** How episodes ended that were looked at. */
  ended?: RecountedLook['ended'];
  /** Where to go on, and the instant up to which everything was looked at then. */
  cursor: string;
  through: Date;
  /** There may be more at once. */
  more: boolean;
}

/** A way through everything of a kind in its own order, a bounded page at a time. */
export interface Walk {
  name: string;
  /** Milliseconds that a thing is old before it is looked at. */
  ageMs: number;
  /** Where to begin who has never been under way. */
  start: (began: Date) => string;
  look: (tx: Tx, place: WalkPlace, page: { now: Date; size: number }) => Promise<Look>;
  kinds: readonly DifferenceKind[];
  /** What of these differences is still one: they are looked at again by the same eyes. */
  again: (tx: Tx, differences: readonly KeptDifference[], now: Date) => Promise<Found[]>;
}

export const noDifference = { conversationId: null, seq: null, episode: null, attemptId: null } as const;

/** The least id that can have been made at an instant (UUIDv7, RFC 9562): ids are in the order of time. */
export function idAt(at: Date): string {
  const hex = Math.max(0, at.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** When an id was made. */
export const timeOf = (id: string): Date => new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));

export const before = (at: Date, ms: number): Date => new Date(at.getTime() - ms);
