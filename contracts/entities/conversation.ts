import { z } from 'zod';
import { ClientId, ConversationId, UserId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Instant, Seq, Version, line } from './common.ts';
import { Message } from './message.ts';
import { Level } from './notification-settings.ts';

export const ConversationKind = z.enum(['direct', 'group']);
export const Role = z.enum(['owner', 'admin', 'member', 'read_only']);
export type Role = z.infer<typeof Role>;

export const Member = z
  .strictObject({
    userId: UserId,
    displayName: z.string(),
    role: Role,
    deliveredSeq: Seq,
    readSeq: Seq,
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof Member>;

/** What a conversation is to the person who asks. */
export const MyMembership = z
  .strictObject({
    role: Role,
    deliveredSeq: Seq,
    readSeq: Seq,
    unread: z.int().nonnegative(),
    /** Null: as in the account's notification settings. */
    level: Level.nullable(),
    mutedUntil: Instant.nullable(),
  })
  .meta({ id: 'MyMembership' });
export type MyMembership = z.infer<typeof MyMembership>;

export const Conversation = z
  .strictObject({
    id: ConversationId,
    kind: ConversationKind,
    title: z.string().nullable(),
    createdBy: UserId,
    createdAt: Instant,
    version: Version,
    lastSeq: Seq,
    memberCount: z.int().positive(),
    me: MyMembership,
    lastMessage: Message.nullable(),
  })
  .meta({ id: 'Conversation' });
export type Conversation = z.infer<typeof Conversation>;

export const NewConversation = z
  .discriminatedUnion('kind', [
    z.strictObject({ clientId: ClientId, kind: z.literal('direct'), memberIds: z.array(UserId).length(1) }),
    z.strictObject({
      clientId: ClientId,
      kind: z.literal('group'),
      memberIds: z.array(UserId).max(limits.groupMembers),
      title: line(limits.titleLength),
    }),
  ])
  .meta({ id: 'NewConversation' });
export type NewConversation = z.infer<typeof NewConversation>;

export const MyMembershipPatch = z
  .strictObject({ level: Level.nullable().optional(), mutedUntil: Instant.nullable().optional() })
  .refine((patch) => Object.keys(patch).length > 0, { message: 'names no setting to change' })
  .meta({ id: 'MyMembershipPatch' });
export type MyMembershipPatch = z.infer<typeof MyMembershipPatch>;
