import { z } from 'zod';
import { ClientId, ConversationId, MessageId, UserId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Instant, Seq, UnreadCounts, Version, text } from './common.ts';
import { MembershipEnd, Role } from './member.ts';
import { Level } from './notification-settings.ts';
import { ConversationSettings } from './settings.ts';

export const Priority = z.enum(['normal', 'urgent']);

/** Where a mention stands in the text, in UTF-16 units. */
const range = { offset: z.int().nonnegative(), length: z.int().positive() };
export const Mention = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('user'), userId: UserId, ...range }),
    /**
     * Every member, in a thread everybody who follows it. `here` counts as a mention for all of them, and notifies those who
     * are connected when it is sent.
     */
    z.strictObject({ type: z.literal('everyone'), ...range }),
    z.strictObject({ type: z.literal('here'), ...range }),
  ])
  .meta({ id: 'Mention' });
export type Mention = z.infer<typeof Mention>;

/** One kind of reaction to a message; the kinds stand in the order of their code points. */
export const Reaction = z
  .strictObject({ emoji: z.string(), count: z.int().positive(), mine: z.boolean() })
  .meta({ id: 'Reaction' });
export type Reaction = z.infer<typeof Reaction>;

/** What hangs below the first message of a thread. */
export const ThreadSummary = z
  .strictObject({ replyCount: z.int().nonnegative(), lastSeq: Seq })
  .meta({ id: 'ThreadSummary' });
export type ThreadSummary = z.infer<typeof ThreadSummary>;

/** Where somebody stands in one thread. */
export const ThreadStanding = z
  .strictObject({
    conversationId: ConversationId,
    /** The first message, by which the thread is named. */
    threadId: MessageId,
    rootSeq: Seq,
    following: z.boolean(),
    /** Of this thread alone; null: as in the conversation. */
    level: Level.nullable(),
    /** Moves forward only: of two standings the one with the higher mark is newer. */
    readSeq: Seq,
    ...UnreadCounts.shape,
  })
  .meta({ id: 'ThreadStanding' });
export type ThreadStanding = z.infer<typeof ThreadStanding>;

/**
 * A change of the conversation that people see in its timeline. Ids only: names are looked up when it is shown, so that
 * nobody's name outlives them here.
 */
export const SystemChange = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('members.added'),
      members: z.array(z.strictObject({ userId: UserId, role: Role })),
      memberCount: z.int().nonnegative(),
    }),
    z.strictObject({
      type: z.literal('members.removed'),
      userIds: z.array(UserId),
      how: MembershipEnd,
      memberCount: z.int().nonnegative(),
    }),
    z.strictObject({
      type: z.literal('members.changed'),
      members: z.array(z.strictObject({ userId: UserId, role: Role })),
    }),
    z.strictObject({ type: z.literal('conversation.updated'), settings: ConversationSettings }),
    z.strictObject({ type: z.literal('message.pinned'), messageId: MessageId, seq: Seq }),
    z.strictObject({ type: z.literal('message.unpinned'), messageId: MessageId, seq: Seq }),
  ])
  .meta({ id: 'SystemChange' });
export type SystemChange = z.infer<typeof SystemChange>;

/**
 * By whom and when a forwarded message was first written. Not where: who reads it here need not belong there. It is a
 * message of its own, and stays as it is when the other one is edited or deleted.
 */
export const Origin = z.strictObject({ senderId: UserId, createdAt: Instant }).meta({ id: 'Origin' });
export type Origin = z.infer<typeof Origin>;

export const Message = z
  .strictObject({
    id: MessageId,
    conversationId: ConversationId,
    seq: Seq,
    version: Version,
    /** The version of its last change: of two states of a message, the one with the higher number is newer. */
    changedVersion: Version,
    clientId: ClientId,
    senderId: UserId,
    kind: z.enum(['text', 'system']),
    /** Null in a system message, and once the message was deleted. */
    text: z.string().nullable(),
    system: SystemChange.nullable(),
    attachments: z.array(z.never()),
    replyTo: MessageId.nullable(),
    /** The first message of the thread that this one stands in. */
    threadId: MessageId.nullable(),
    /** Of the first message of a thread. */
    thread: ThreadSummary.nullable(),
    forwardedFrom: Origin.nullable(),
    mentions: z.array(Mention),
    priority: Priority,
    reactions: z.array(Reaction),
    createdAt: Instant,
    editedAt: Instant.nullable(),
    deletedAt: Instant.nullable(),
    pinnedAt: Instant.nullable(),
    /** The reader has blocked its sender: shown only on demand. */
    fromBlocked: z.boolean().optional(),
  })
  .meta({ id: 'Message' });
export type Message = z.infer<typeof Message>;

const mentions = z.array(Mention).max(limits.messageMentions);

/** Every mention lies inside the text, parts no character of two UTF-16 units, and its range overlaps no other. */
function checkRanges(
  { text, mentions }: { text: string; mentions?: Mention[] | undefined },
  context: z.RefinementCtx,
): void {
  if (!mentions) return;
  const fault = (index: number, told: string) =>
    context.addIssue({ code: 'custom', path: ['mentions', index], message: told });
  mentions.forEach(({ offset, length }, index) => {
    if (offset + length > text.length) fault(index, 'must lie inside the text');
    else if ([offset, offset + length].some((at) => partsCharacter(text, at)))
      fault(index, 'must begin and end between characters, not inside one of two UTF-16 units');
  });
  const inOrder = [...mentions.entries()].sort(([, a], [, b]) => a.offset - b.offset);
  inOrder.forEach(([index, { offset }], place) => {
    const before = inOrder[place - 1]?.[1];
    if (before && before.offset + before.length > offset) fault(index, 'must overlap no other mention');
  });
}

const partsCharacter = (text: string, at: number) =>
  /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(at - 1, at + 1));

export const NewMessage = z
  .strictObject({
    clientId: ClientId,
    text: text(limits.messageTextLength),
    replyTo: MessageId.optional(),
    /** The first message of the thread to write in; the thread begins with the first such message. */
    threadId: MessageId.optional(),
    mentions: mentions.optional(),
    priority: Priority.optional(),
  })
  .superRefine(checkRanges)
  .meta({ id: 'NewMessage' });
export type NewMessage = z.infer<typeof NewMessage>;

export const MessageEdit = z
  .strictObject({
    clientId: ClientId,
    text: text(limits.messageTextLength),
    mentions: mentions
      .optional()
      .describe(
        'Left out: those stay whose words stand in the new text where they stood. An empty list takes all away',
      ),
  })
  .superRefine(checkRanges)
  .meta({ id: 'MessageEdit' });
export type MessageEdit = z.infer<typeof MessageEdit>;

/** What a message said before an edit, or says now. */
export const MessageRevision = z
  .strictObject({ text: z.string(), mentions: z.array(Mention), writtenAt: Instant })
  .meta({ id: 'MessageRevision' });
export type MessageRevision = z.infer<typeof MessageRevision>;

/** Somebody who is told of an urgent message only then, by their own rules. */
export const HeldBack = z.strictObject({ userId: UserId, until: Instant }).meta({ id: 'HeldBack' });
export type HeldBack = z.infer<typeof HeldBack>;

/** How far a message has come, as its sender asks for it. A reply is read by who has read so far in its thread. */
export const DeliveryState = z
  .strictObject({
    seq: Seq,
    /** Members who should get it: all but its sender. */
    recipients: z.int().nonnegative(),
    delivered: z.int().nonnegative(),
    read: z.int().nonnegative(),
    /** By name, where the conversation has few enough members. */
    deliveredTo: z.array(UserId).optional(),
    readBy: z.array(UserId).optional(),
    /** Of an urgent message, where names are told: who is left alone until then and has not, as far as they tell, read it. */
    heldBack: z.array(HeldBack).optional(),
    /** Of an urgent message, where names are told: who could be told of it on no channel and has not, as far as they tell, read it. */
    unreachable: z.array(UserId).optional(),
  })
  .meta({ id: 'DeliveryState' });
export type DeliveryState = z.infer<typeof DeliveryState>;
