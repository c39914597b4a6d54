import { z } from 'zod';
import { ConversationId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Version } from './common.ts';
import { Conversation, MyMembership } from './conversation.ts';
import { ConversationEvent } from './event.ts';
import { Member } from './member.ts';
import { Message } from './message.ts';

/** The state of one conversation to start from when its events are too many to send. */
export const Snapshot = z
  .strictObject({
    conversation: Conversation,
    /** Everybody, where they are few enough to be named (`namedMembers`); else nobody: page through the members. */
    members: z.array(Member),
    /** The newest messages, oldest first; older ones by paging through the history. */
    messages: z.array(Message),
  })
  .meta({ id: 'Snapshot' });
export type Snapshot = z.infer<typeof Snapshot>;

export const EventsAfter = z
  .union([
    z.strictObject({ snapshot: z.literal(false), events: z.array(ConversationEvent), hasMore: z.boolean() }),
    z.strictObject({ snapshot: z.literal(true), state: Snapshot }),
  ])
  .meta({ id: 'EventsAfter' });
export type EventsAfter = z.infer<typeof EventsAfter>;

/**
 * Conversation and last applied version. `true` after them: somebody named in it is behind its last message, as far as the
 * client knows, so that watermarks may have moved where nothing else did; the answer says how far everybody is.
 */
export const Known = z
  .array(z.tuple([ConversationId, Version, z.boolean().optional()]))
  .max(limits.syncConversations)
  .superRefine((known, context) => {
    const seen = new Set<string>();
    for (const [index, [id]] of known.entries()) {
      const one = id.toLowerCase();
      if (seen.has(one)) context.addIssue({ code: 'custom', path: [index, 0], message: 'names a conversation again' });
      seen.add(one);
    }
  });

export const SyncRequest = z
  .strictObject({
    /** Everything that the client holds, in any order. Who holds more than one call takes names the lowest ids first. */
    known: Known,
    cursor: z.string().max(200).optional(),
  })
  .meta({ id: 'SyncRequest' });
export type SyncRequest = z.infer<typeof SyncRequest>;

/** How one conversation moved since the client's version. */
export const SyncChange = z
  .strictObject({
    conversationId: ConversationId,
    /** The head at the moment of the answer. */
    version: Version,
    /**
     * `events`: apply them. `snapshot`: replace what you hold. `lost`: you are no longer a member; drop it. The last event
     * of what is lost is the one that ended your membership, where you were a member once.
     */
    how: z.enum(['events', 'snapshot', 'lost']),
    events: z.array(ConversationEvent),
    state: Snapshot.nullable(),
  })
  .meta({ id: 'SyncChange' });
export type SyncChange = z.infer<typeof SyncChange>;

/** Where the caller stands in one conversation: told for all, because watermarks and settings are outside the log. */
export const SyncStanding = z
  .strictObject({
    conversationId: ConversationId,
    version: Version,
    lastSeq: z.int().nonnegative(),
    deliveredSeq: z.int().nonnegative(),
    readSeq: z.int().nonnegative(),
    unread: z.int().nonnegative(),
    mentions: z.int().nonnegative(),
    unreadMark: z.int().nonnegative().nullable(),
    ...MyMembership.pick({ level: true, mutedUntil: true, muteExcept: true, channels: true }).shape,
    ...MyMembership.pick({ archived: true, pinned: true }).shape,
  })
  .meta({ id: 'SyncStanding' });
export type SyncStanding = z.infer<typeof SyncStanding>;

/** How far all the others are in one conversation, where it tells receipts and its members are named. */
export const SyncReceipts = z
  .strictObject({
    conversationId: ConversationId,
    members: z.array(Member.pick({ userId: true, deliveredSeq: true, readSeq: true, cameSeq: true })),
  })
  .meta({ id: 'SyncReceipts' });
export type SyncReceipts = z.infer<typeof SyncReceipts>;

export const SyncResponse = z
  .strictObject({
    changes: z.array(SyncChange),
    standings: z.array(SyncStanding),
    /** Of what is told by events, and of what the client asked for: it takes the place of what is held. */
    receipts: z.array(SyncReceipts),
    /** Null when everything was told; else call again with it. */
    cursor: z.string().nullable(),
  })
  .meta({ id: 'SyncResponse' });
export type SyncResponse = z.infer<typeof SyncResponse>;
