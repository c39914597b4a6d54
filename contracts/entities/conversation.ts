import { z } from 'zod';
import { ClientId, ConversationId, InviteId, UserId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Instant, Seq, Version, line, text } from './common.ts';
import { Role } from './member.ts';
import { Message } from './message.ts';
import { ConversationChannels, Level } from './notification-settings.ts';
import { ConversationSettings, History, Posting, Visibility } from './settings.ts';

export const ConversationKind = z.enum(['direct', 'group', 'channel']);
export type ConversationKind = z.infer<typeof ConversationKind>;

/** What a conversation is to the person who asks. */
export const MyMembership = z
  .strictObject({
    role: Role,
    deliveredSeq: Seq,
    readSeq: Seq,
    /** Messages after `readSeq` without one's own, those of people one has blocked, deleted ones and those in threads. */
    unread: z.int().nonnegative(),
    /** Those of them that mention the person. */
    mentions: z.int().nonnegative(),
    /** Where the person marked it as unread by hand. */
    unreadMark: Seq.nullable(),
    /** Null: as in the account's notification settings. */
    level: Level.nullable(),
    mutedUntil: Instant.nullable(),
    /** What goes before the account's own switches here. */
    channels: ConversationChannels,
    /** What comes through a mute: mentions by name, or nothing. */
    muteExcept: z.literal('mentions').nullable(),
    archived: z.boolean(),
    pinned: z.boolean(),
  })
  .meta({ id: 'MyMembership' });
export type MyMembership = z.infer<typeof MyMembership>;

/** What a person has set for a conversation, on whichever device. The mark is of when they had read so far. */
export const MembershipSettings = z
  .strictObject({
    conversationId: ConversationId,
    ...MyMembership.pick({ level: true, mutedUntil: true, muteExcept: true, channels: true }).shape,
    ...MyMembership.pick({ archived: true, pinned: true }).shape,
    ...MyMembership.pick({ unreadMark: true, readSeq: true }).shape,
  })
  .meta({ id: 'MembershipSettings' });
export type MembershipSettings = z.infer<typeof MembershipSettings>;

export const Conversation = z
  .strictObject({
    id: ConversationId,
    kind: ConversationKind,
    ...ConversationSettings.shape,
    createdBy: UserId,
    createdAt: Instant,
    /**
     * When it was written in last, or made: what lists go by. Who came later than the last message and may not read it
     * knows it by this alone.
     */
    lastActiveAt: Instant,
    version: Version,
    lastSeq: Seq,
    memberCount: z.int().positive(),
    /** A few of the others, for a title and faces in a list. */
    digest: z.array(z.strictObject({ userId: UserId, displayName: z.string() })),
    me: MyMembership,
    lastMessage: Message.nullable(),
  })
  .meta({ id: 'Conversation' });
export type Conversation = z.infer<typeof Conversation>;

const title = line(limits.titleLength);
const description = text(limits.descriptionLength);

export const NewConversation = z
  .discriminatedUnion('kind', [
    z.strictObject({ clientId: ClientId, kind: z.literal('direct'), memberIds: z.array(UserId).length(1) }),
    z.strictObject({
      clientId: ClientId,
      kind: z.literal('group'),
      memberIds: z.array(UserId).max(limits.groupMembers - 1),
      title,
      description: description.optional(),
      posting: Posting.optional(),
      history: History.optional(),
    }),
    z.strictObject({
      clientId: ClientId,
      kind: z.literal('channel'),
      memberIds: z
        .array(UserId)
        .max(limits.groupMembers - 1)
        .default([]),
      title,
      description: description.optional(),
      visibility: Visibility.optional(),
      posting: Posting.optional(),
      history: History.optional(),
    }),
  ])
  .meta({ id: 'NewConversation' });
export type NewConversation = z.infer<typeof NewConversation>;

export const ConversationPatch = z
  .strictObject({
    title: title.optional(),
    description: description.nullable().optional(),
    visibility: Visibility.optional(),
    posting: Posting.optional(),
    history: History.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, { message: 'names nothing to change' })
  .meta({ id: 'ConversationPatch' });
export type ConversationPatch = z.infer<typeof ConversationPatch>;

export const MyMembershipPatch = z
  .strictObject({
    level: Level.nullable().optional(),
    mutedUntil: Instant.nullable().optional(),
    channels: ConversationChannels.partial().optional(),
    muteExcept: z.literal('mentions').nullable().optional(),
    archived: z.boolean().optional(),
    pinned: z.boolean().optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, { message: 'names no setting to change' })
  .meta({ id: 'MyMembershipPatch' });
export type MyMembershipPatch = z.infer<typeof MyMembershipPatch>;

/** A channel as somebody sees it who has not joined. */
export const OpenChannel = z
  .strictObject({
    id: ConversationId,
    title: z.string(),
    description: z.string().nullable(),
    memberCount: z.int().positive(),
    joined: z.boolean(),
  })
  .meta({ id: 'OpenChannel' });
export type OpenChannel = z.infer<typeof OpenChannel>;

export const Invite = z
  .strictObject({
    id: InviteId,
    conversationId: ConversationId,
    code: z.string(),
    createdBy: UserId,
    createdAt: Instant,
    expiresAt: Instant.nullable(),
    maxUses: z.int().positive().nullable(),
    uses: z.int().nonnegative(),
  })
  .meta({ id: 'Invite' });
export type Invite = z.infer<typeof Invite>;

export const NewInvite = z
  .strictObject({
    /** The same id and content answers with the first invitation. */
    clientId: ClientId.optional(),
    /** Seven days when left out. */
    expiresInSeconds: z.int().min(60).max(limits.inviteSeconds).default(limits.inviteSecondsByDefault),
    /** As many as the conversation may have members, 1,000 in a group; when left out, for as many as there is room. */
    maxUses: z.int().min(1).max(limits.channelMembers).optional(),
  })
  .meta({ id: 'NewInvite' });
export type NewInvite = z.infer<typeof NewInvite>;

export const Ban = z.strictObject({ userId: UserId, bannedBy: UserId, at: Instant }).meta({ id: 'Ban' });
export type Ban = z.infer<typeof Ban>;

/** What somebody has begun to write, the same on all of their devices. */
export const Draft = z
  .strictObject({ conversationId: ConversationId, text: z.string(), replyTo: z.uuid().nullable(), at: Instant })
  .meta({ id: 'Draft' });
export type Draft = z.infer<typeof Draft>;
