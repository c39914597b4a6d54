import { z } from 'zod';
import { ConversationId, MessageId, UserId } from '../ids.ts';
import { Instant, Seq, Version } from './common.ts';
import { ConversationKind } from './conversation.ts';
import { Member, MembershipEnd, Role } from './member.ts';
import { Mention, Message, ThreadSummary } from './message.ts';
import { ConversationSettings } from './settings.ts';

const logged = { conversationId: ConversationId, version: Version, at: Instant, actorId: UserId };
const entry = <Type extends string, Data extends z.ZodType>(type: Type, data: Data) =>
  z.strictObject({ ...logged, type: z.literal(type), data });

/** The line that people see in the timeline for the change; channels, where thousands come and go, have none. */
const shown = { message: Message.nullable() };
/** Which message; the entry's version becomes its `changedVersion`. */
const changed = { messageId: MessageId, seq: Seq };
const reaction = z.strictObject({
  ...changed,
  emoji: z.string(),
  userId: UserId,
  /** How many there are of this emoji with this change. */
  count: z.int().nonnegative(),
});
const pin = (pinnedAt: z.ZodType<string | null>) => z.strictObject({ ...changed, pinnedAt, ...shown });

/**
 * One entry of a conversation's log: gapless versions, commit order. It carries all that a client needs to apply it
 * without another request, and only what it changes. What people wrote is told as it is now: an entry that is read late
 * holds the newer text, and the entry of that edit follows and changes nothing then.
 */
export const ConversationEvent = z
  .discriminatedUnion('type', [
    entry(
      'conversation.created',
      z.strictObject({
        kind: ConversationKind,
        ...ConversationSettings.shape,
        /** Everybody, where they are few enough to be named (`namedMembers`); else nobody. */
        members: z.array(Member),
        memberCount: z.int().positive(),
      }),
    ),
    entry('conversation.updated', z.strictObject({ settings: ConversationSettings, ...shown })),
    entry(
      'members.added',
      z.strictObject({
        /** Whoever comes has read what was there, so this says how far they are, too, where the conversation tells it. */
        members: z.array(Member),
        memberCount: z.int().nonnegative(),
        ...shown,
      }),
    ),
    entry(
      'members.removed',
      z.strictObject({ userIds: z.array(UserId), how: MembershipEnd, memberCount: z.int().nonnegative(), ...shown }),
    ),
    entry(
      'members.changed',
      z.strictObject({ members: z.array(z.strictObject({ userId: UserId, role: Role })), ...shown }),
    ),
    entry(
      'message.created',
      z.strictObject({
        message: Message,
        /** How far the thread has come with this message, where it stands in one. */
        thread: ThreadSummary.nullable(),
      }),
    ),
    entry(
      'message.edited',
      z.strictObject({
        ...changed,
        /** Null where it was deleted since. */
        text: z.string().nullable(),
        mentions: z.array(Mention),
        editedAt: Instant,
      }),
    ),
    entry(
      'message.deleted',
      z.strictObject({
        ...changed,
        deletedAt: Instant,
        /** How far the thread that it stood in has come, and which. */
        threadId: MessageId.nullable(),
        thread: ThreadSummary.nullable(),
      }),
    ),
    entry('message.pinned', pin(Instant)),
    entry('message.unpinned', pin(z.null())),
    entry('reaction.added', reaction),
    entry('reaction.removed', reaction),
    /** A change of something from before the reader joined, which they may not read: it only takes its number. */
    entry('hidden', z.strictObject({})),
  ])
  .meta({ id: 'ConversationEvent' });
export type ConversationEvent = z.infer<typeof ConversationEvent>;
export type ConversationEventType = ConversationEvent['type'];
export type ConversationEventOf<Type extends ConversationEventType> = Extract<ConversationEvent, { type: Type }>;

/** A member's two watermarks: state, not history, so outside the log. Both only move forward. */
export const Receipt = z
  .strictObject({
    conversationId: ConversationId,
    userId: UserId,
    deliveredSeq: Seq,
    /** Null for who does not tell how far they have read. */
    readSeq: Seq.nullable(),
    /** As of a `Member`: up to there the watermarks say nothing. */
    cameSeq: Seq,
  })
  .meta({ id: 'Receipt' });
export type Receipt = z.infer<typeof Receipt>;
