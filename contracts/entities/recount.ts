import { z } from 'zod';
import { ConversationId, UserId } from '../ids.ts';
import { Instant, Seq } from './common.ts';

/** Where what should have happened and what is written down do not agree. docs/runbooks says what each means. */
export const differenceKinds = [
  // Of a message and a person.
  ...['not_armed', 'wrong_outcome'],
  // Of an episode.
  ...['stalled', 'unfinished', 'no_outcome', 'two_outcomes'],
  // Of an attempt.
  ...['announced_twice', 'not_owed', 'attempt_open'],
] as const;
export const DifferenceKind = z.enum(differenceKinds).meta({ id: 'DifferenceKind' });
export type DifferenceKind = z.infer<typeof DifferenceKind>;

const FoundDifference = z.strictObject({
  kind: DifferenceKind,
  userId: UserId,
  conversationId: ConversationId.nullable(),
  seq: Seq.nullable(),
  episode: z.int().positive().nullable(),
  attemptId: z.string().nullable(),
  foundAt: Instant,
});

/** The independent recount of who should have been told: how far it has come, and what does not agree. */
export const Reconciliation = z
  .strictObject({
    /** By kind; every kind is named, and all are 0 where nobody was forgotten. */
    differences: z.record(DifferenceKind, z.int().nonnegative()),
    walks: z.array(
      z.strictObject({
        name: z.string(),
        /** Everything up to then was looked at. */
        through: Instant,
        /** Seconds that it is behind what it could have looked at. */
        behindSeconds: z.number().nonnegative(),
      }),
    ),
    /** The earliest found first. */
    items: z.array(FoundDifference),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'Reconciliation' });
export type Reconciliation = z.infer<typeof Reconciliation>;
