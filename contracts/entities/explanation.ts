import { z } from 'zod';
import { ConversationId, DeviceId, MessageId, UserId } from '../ids.ts';
import { channels } from '../workflows/names.ts';
import { Instant, Seq } from './common.ts';

/** Why a person was or was not told. A closed list that only grows: stored decisions name these for as long as they are kept. */
export const reasons = [
  ...['due', 'burst_window', 'presence_grace', 're_alert_gap', 'quiet_hours', 'do_not_disturb', 'sms_night'],
  ...['step_delay', 'reminder_gap', 'under_way', 'read_before_send', 'account_inactive', 'bot', 'muted_conversation'],
  ...['level_nothing', 'channel_off', 'no_device', 'devices_suspect', 'push_permission_denied', 'email_missing'],
  ...['email_unverified', 'email_suppressed', 'unsubscribed', 'phone_missing', 'phone_unverified', 'sms_suppressed'],
  ...['sms_opted_out', 'expired', 'needs_operator', 'skipped_by_operator', 'already_announced', 'all_content_gone'],
  ...['every_step_spent', 'closed_by_operator', 'own_message', 'not_member', 'system_message', 'message_deleted'],
  ...['blocked_sender', 'level_mentions_only', 'thread_not_followed', 'not_yet_armed', 'workflow_lost', 'announced'],
  ...['urgent_repeat', 'cap_user', 'cap_org_sms', 'focused_grace', 'idle_grace', 'awaiting_acknowledgement'],
  ...['next_digest', 'covered_by_digest', 'digest_only', 'channel_off_here', 'weekly_summary', 'device_off'],
  ...['breaker_open', 'provider_recovering'],
  ...['mention_removed', 'conversation_deleted', 'unreachable'],
  ...['provider_rejected'],
] as const;
export const Reason = z.enum(reasons).meta({ id: 'Reason' });
export type Reason = z.infer<typeof Reason>;

const channel = z.enum(channels);
/** The decision's own word, and the sentence that support is told for its reason. */
const verdict = {
  outcome: z.enum(['sent', 'send', 'deferred', 'skipped', 'cancelled', 'failed']),
  reason: Reason,
  sentence: z.string(),
};

/** One step as it was found at one moment. */
const EvaluatedStep = z.strictObject({
  channel,
  outcome: z.string(),
  reason: Reason,
  until: Instant.optional(),
  conversationId: ConversationId.optional(),
  /** IANA name of the zone by whose clock it is quiet, where that is the reason. */
  zone: z.string().optional(),
});

export const ToldDecision = z
  .strictObject({
    at: Instant,
    /** The channel, `conversation` for what was called off in one, or `episode` for what concerns it as a whole. */
    step: z.enum([...channels, 'conversation', 'episode']),
    /** The one that was called off; null for every other step. */
    conversationId: ConversationId.nullable(),
    ...verdict,
    until: Instant.nullable(),
    attemptId: z.string().nullable(),
    /** Every step as it was found then, not only the one that was acted on. */
    evaluation: z.array(EvaluatedStep),
  })
  .meta({ id: 'ToldDecision' });
export type ToldDecision = z.infer<typeof ToldDecision>;

export const ToldAttempt = z
  .strictObject({
    id: z.string(),
    channel,
    state: z.enum(['claimed', 'accepted', 'failed', 'unknown', 'dropped']),
    sentence: z.string(),
    covers: z.array(z.strictObject({ conversationId: ConversationId, fromSeq: Seq, toSeq: Seq })),
    tries: z.int().nonnegative(),
    claimedAt: Instant,
    calledAt: Instant.nullable(),
    finishedAt: Instant.nullable(),
    /** What the provider calls it. */
    providerId: z.string().nullable(),
    errorClass: z.string().nullable(),
    errorCode: z.string().nullable(),
    /** What was heard of it, in the order in which it was heard. */
    events: z.array(z.strictObject({ at: Instant, source: z.string(), kind: z.string(), code: z.string().nullable() })),
  })
  .meta({ id: 'ToldAttempt' });
export type ToldAttempt = z.infer<typeof ToldAttempt>;

const Next = z.strictObject({
  /** `start`: the grace of an episode that Temporal has not heard of yet. */
  step: z.enum([...channels, 'start', 'operator', 'decision']),
  at: Instant,
  reason: Reason,
  sentence: z.string(),
});

export const EpisodeStory = z
  .strictObject({
    episode: z.int().positive(),
    openedAt: Instant,
    startedAt: Instant.nullable(),
    closedAt: Instant.nullable(),
    /** How it ended, in a word; null while it goes on. */
    outcome: z.string().nullable(),
    workflow: z.strictObject({ id: z.string(), runId: z.string().nullable(), url: z.string().nullable() }).nullable(),
    decisions: z.array(ToldDecision),
    attempts: z.array(ToldAttempt),
    /** What comes next and when; null when nothing does. */
    next: Next.nullable(),
  })
  .meta({ id: 'EpisodeStory' });
export type EpisodeStory = z.infer<typeof EpisodeStory>;

/** How a person can be reached, with addresses and numbers masked. */
const Reach = z.strictObject({
  id: UserId,
  displayName: z.string(),
  status: z.enum(['active', 'suspended', 'ended']),
  timeZone: z.string(),
  email: z.strictObject({ masked: z.string(), verified: z.boolean(), suppressed: z.string().nullable() }).nullable(),
  phone: z.strictObject({ masked: z.string(), verified: z.boolean(), suppressed: z.string().nullable() }).nullable(),
  devices: z.array(
    z.strictObject({
      id: DeviceId,
      platform: z.string(),
      hasPushToken: z.boolean(),
      pushState: z.string(),
      pushPermission: z.string(),
      pushEnabled: z.boolean(),
      lastSeenAt: Instant,
    }),
  ),
});

export const UserStory = z
  .strictObject({ person: Reach, items: z.array(EpisodeStory), nextCursor: z.string().nullable() })
  .meta({ id: 'UserStory' });
export type UserStory = z.infer<typeof UserStory>;

export const gateNames = [
  ...['active', 'member', 'text', 'notDeleted', 'notOwn', 'visible', 'notBlocked', 'notMuted', 'level', 'unread'],
] as const;
export const Gate = z.strictObject({
  gate: z.enum(gateNames),
  passed: z.boolean(),
  /** What it means that it was not passed; null when it was. */
  reason: Reason.nullable(),
  sentence: z.string().nullable(),
});
export type Gate = z.infer<typeof Gate>;

/** Why a message did or did not reach a person: one answer, and everything that it rests on. */
export const Why = z
  .strictObject({
    message: z.strictObject({ id: MessageId, conversationId: ConversationId, seq: Seq, createdAt: Instant }),
    userId: UserId,
    /** The one answer. */
    terminal: z.strictObject({ ...verdict, at: Instant.nullable() }),
    /** Every gate in order, as it stood then; reading, deletion and the account as they stand now. */
    gates: z.array(Gate),
    gatesAt: Instant,
    level: z.enum(['all', 'mentions', 'nothing']).nullable(),
    mentioned: z.boolean(),
    urgent: z.boolean(),
    /** Whether the person has read it. */
    read: z.boolean(),
    /** The episode that it belonged to; its attempts are those that announced this message. */
    episode: EpisodeStory.nullable(),
  })
  .meta({ id: 'Why' });
export type Why = z.infer<typeof Why>;

/** Of one notification: whom it was for, what it told, why it was sent, and what was heard of it. */
export const AttemptStory = z
  .strictObject({
    userId: UserId,
    episode: z.int().positive(),
    attempt: ToldAttempt,
    /** The decision to send it; null where its records are gone. */
    decision: ToldDecision.nullable(),
    /** The latest of the messages that it told, the oldest first. */
    messages: z.array(z.strictObject({ id: MessageId, conversationId: ConversationId, seq: Seq, createdAt: Instant })),
  })
  .meta({ id: 'AttemptStory' });
export type AttemptStory = z.infer<typeof AttemptStory>;

/** What somebody is told of a notification of their own, in their own language. */
export const MyNotification = z
  .strictObject({
    channel,
    sentAt: Instant,
    /** The latest of the messages that it told, the oldest first. */
    messages: z.array(z.strictObject({ id: MessageId, conversationId: ConversationId, seq: Seq, createdAt: Instant })),
    /** Why it came when it did: what it last waited for, else why it was sent; null where the records are gone. */
    reason: Reason.nullable(),
    /** The same in words. */
    sentence: z.string(),
    /** All that there is to say: what it told of, since when that was unread, and why it came then and in this way. */
    sentences: z.array(z.string()),
  })
  .meta({ id: 'MyNotification' });
export type MyNotification = z.infer<typeof MyNotification>;

const auditActions = [
  ...['story', 'why', 'explain_attempt', 'create_user', 'change_role', 'read_audit'],
  ...['reconcile', 'rearm', 'read_unreadable', 'replay_unreadable'],
  ...['list_jobs', 'show_job', 'retry_job', 'skip_job', 'snooze_job', 'close_job'],
  ...['rotate_keys', 'verify_audit', 'new_sign_in', 'refresh_reused'],
  ...['suspend_user', 'reactivate_user', 'change_password', 'reset_password', 'take_contact'],
  ...['change_factors', 'make_token', 'end_token', 'make_bot', 'rename_bot', 'end_bot'],
  ...['change_contact', 'use_recovery_code', 'remove_factors', 'end_session', 'end_other_sessions'],
  ...['step_up_failures', 'wrong_passwords'],
] as const;

export const AuditEntry = z
  .strictObject({
    id: z.string(),
    at: Instant,
    /** Who looked or acted: a person, or an operator at the command line. */
    by: z.union([z.strictObject({ userId: UserId }), z.strictObject({ operator: z.string() })]),
    action: z.enum(auditActions),
    /** Of whom; null where it was about nobody. */
    userId: UserId.nullable(),
    messageId: MessageId.nullable(),
    /** The job that was looked at, or asked; in bulk each has an entry of its own. */
    jobId: z.string().nullable(),
    /** Of a role that was changed. */
    change: z.strictObject({ from: z.string(), to: z.string() }).nullable(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;
