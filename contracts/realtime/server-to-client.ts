import { z } from 'zod';
import {
  ConversationEvent,
  Draft,
  Instant,
  MembershipSettings,
  NotificationSettings,
  PersonPresence,
  Receipt,
  SyncResponse,
  ThreadStanding,
  UnreadCounts,
  Version,
} from '../entities/index.ts';
import { ConversationId, SessionId, UserId } from '../ids.ts';

interface ServerEvent<Payload extends z.ZodType = z.ZodType> {
  readonly summary: string;
  readonly payload: Payload;
}
const serverEvent = <Payload extends z.ZodType>(definition: ServerEvent<Payload>) => definition;

/** What the server tells without being asked. At most once on the wire; complete by versions. */
export const serverEvents = {
  hello: serverEvent({
    summary: 'The first event: who the socket is, the limits, and the sync that `auth.known` asked for',
    payload: z
      .strictObject({
        sessionId: SessionId,
        userId: UserId,
        serverTime: Instant,
        serverVersion: z.string(),
        accessTokenExpiresAt: Instant,
        limits: z.record(z.string(), z.int()),
        /** Whom I have blocked: what they wrote is marked `fromBlocked`, wherever it is held. */
        blocked: z.array(UserId),
        sync: SyncResponse.optional(),
      })
      .meta({ id: 'Hello' }),
  }),
  event: serverEvent({ summary: 'A new entry of a conversation’s log', payload: ConversationEvent }),
  receipts: serverEvent({
    summary: 'Members’ watermarks that moved; a hint, complete in every snapshot',
    payload: z.strictObject({ receipts: z.array(Receipt) }).meta({ id: 'Receipts' }),
  }),
  typing: serverEvent({
    summary:
      'Somebody else writes in the conversation that I look at (`presence.set`), until the moment that is given unless it is renewed; null: no longer. Never stored; not in channels, nor where more than `namedMembers` belong',
    payload: z
      .strictObject({ conversationId: ConversationId, userId: UserId, until: Instant.nullable() })
      .meta({ id: 'Typing' }),
  }),
  presence: serverEvent({
    summary:
      'Whose presence changed in the conversation that I look at, who came into it, and, as `unknown` without `lastSeenAt`, of whom I am told no more',
    payload: z
      .strictObject({ conversationId: ConversationId, presences: z.array(PersonPresence) })
      .meta({ id: 'PresenceChanged' }),
  }),
  attention: serverEvent({
    summary:
      'What is unread in all: soon after I have read or marked something on one of my devices, and within 15 s after others wrote to me, deleted that, mentioned me in an edit or took that back, or ended my membership; later where many wait for theirs. In between count along by `event`. A connect brings none: the standings of its sync say what each conversation counts, `GET /v1/me/unread` what stands in threads, and all sums',
    payload: z
      .strictObject({
        ...UnreadCounts.shape,
        /** In the threads that I follow, which `unread` and `mentions` leave out. */
        threads: UnreadCounts,
        badge: z.int().nonnegative(),
      })
      .meta({ id: 'AttentionCounts' }),
  }),
  thread: serverEvent({
    summary: 'I follow a thread, or no longer, or have read in it, on one of my devices; a hint, complete in the lists',
    payload: ThreadStanding,
  }),
  membership: serverEvent({
    summary:
      'What a conversation is to me changed on one of my devices: how it calls for my attention, where it stands in my list, my mark. A hint: complete in every sync',
    payload: MembershipSettings,
  }),
  'notification-settings': serverEvent({
    summary:
      'Which messages reach me, and how, changed on one of my devices or by a link of a mail; a later version goes before an earlier one',
    payload: z
      .strictObject({ settings: NotificationSettings, version: z.int().positive() })
      .meta({ id: 'NotificationSettingsChanged' }),
  }),
  draft: serverEvent({
    summary:
      'What I have begun to write changed on one of my devices, on this one too (by its `at`); null: it was sent or thrown away',
    payload: z.strictObject({ conversationId: ConversationId, draft: Draft.nullable() }).meta({ id: 'DraftChanged' }),
  }),
  blocks: serverEvent({
    summary: 'Whom I have blocked changed on one of my devices; these are all, and what others wrote is marked no more',
    payload: z.strictObject({ userIds: z.array(UserId) }).meta({ id: 'Blocks' }),
  }),
  heads: serverEvent({
    summary:
      'Versions of conversations that moved of late, every 15 s: a client that holds an older one has missed something',
    payload: z.strictObject({ heads: z.array(z.tuple([ConversationId, Version])) }).meta({ id: 'Heads' }),
  }),
  notice: serverEvent({
    summary:
      'Something about the connection itself. `moving`: come back with full jitter. `session_ended`: it closes, sign in again or renew the token. `closed`: it closes for the reason that `code` names, and the session goes on',
    payload: z
      .strictObject({ kind: z.enum(['moving', 'session_ended', 'closed']), code: z.string().optional() })
      .meta({ id: 'Notice' }),
  }),
};

export type ServerEvents = typeof serverEvents;
export type ServerEventName = keyof ServerEvents;
export type ServerEventPayload<Name extends ServerEventName> = z.infer<ServerEvents[Name]['payload']>;
