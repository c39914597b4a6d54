import { z } from 'zod';
import { UserId } from '../ids.ts';
import { Seq } from './common.ts';

export const Role = z.enum(['owner', 'admin', 'member', 'read_only']);
export type Role = z.infer<typeof Role>;

/** How a membership ended. */
export const MembershipEnd = z.enum(['left', 'removed', 'banned', 'conversation_deleted']);
export type MembershipEnd = z.infer<typeof MembershipEnd>;

export const Member = z
  .strictObject({
    userId: UserId,
    displayName: z.string(),
    role: Role,
    /**
     * Null where the conversation tells no receipts by name: channels, groups of more than `namedMembers`, and two, one of
     * whom has blocked the other.
     */
    deliveredSeq: Seq.nullable(),
    /** Null also for who does not tell how far they have read. */
    readSeq: Seq.nullable(),
    /**
     * The last seq that was there when they came, or came back: their watermarks begin at it, and of what stands up to it
     * they say nothing. Null where `deliveredSeq` is.
     */
    cameSeq: Seq.nullable(),
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof Member>;

export const MemberBrief = Member.pick({ userId: true, displayName: true, role: true }).meta({ id: 'MemberBrief' });
export type MemberBrief = z.infer<typeof MemberBrief>;
