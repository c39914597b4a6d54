import type { DeviceInput, Job, JobAction, JobConditions, Provider, Scope } from '../contracts/entities/index.ts';
import type { DomainEvent } from '../contracts/events.ts';
import type { ConversationId, SessionId, UserId } from '../contracts/ids.ts';
import type { NotificationReceipt } from '../contracts/rest/index.ts';
import type { LimiterName, Price } from '../contracts/rate-limits.ts';
import type { Channel } from '../contracts/workflows/names.ts';
import type { Db } from '../db/client.ts';
import type { MovedWatermark, WatermarkMove } from '../db/queries/members.ts';
import type { SuppressionCause } from '../db/queries/suppressions.ts';
import type { NewMessageRow, StoreResult } from '../db/queries/store-messages.ts';

/** Who asks. Each door makes it from its own credentials; requests and sockets stop there. */
export interface Actor {
  readonly userId: UserId;
  /** Of a token its own id: what has ended is known in the same way of both. */
  readonly sessionId: SessionId;
  /** What a token is for; left out of a session, which may all that its person may. */
  readonly scopes?: ReadonlySet<Scope>;
}

/** Structured logging: a message and fields. No text, token, address or number of a person ever goes in. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** argon2id behind a gate: refuses with `overloaded` rather than queue without bound. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** For an unknown person, and for one who has no password, `stored` is none and the same work is done, so that time tells nothing. */
  verify(password: string, stored: string | null | undefined): Promise<boolean>;
  /** Made with weaker parameters, or another pepper, than one that is made today. */
  needsRehash(stored: string): boolean;
  /** Among the passwords that people choose most, whatever its case: the first that anybody guesses. */
  isCommon(password: string): boolean;
  /** Known from a leak, as far as somebody is asked and answers in time. */
  isLeaked(password: string): Promise<boolean>;
}

export interface AccessToken {
  token: string;
  expiresAt: Date;
}
export interface VerifiedToken extends Actor {
  expiresAt: Date;
  /** The key that signed it; null of a token for programs, which is looked up. */
  kid: string | null;
}
export interface SignedToken extends VerifiedToken {
  kid: string;
}
export interface Tokens {
  sign(actor: Actor): AccessToken;
  /** Throws `unauthenticated` or `token_expired`. */
  verify(token: string): SignedToken;
  /** Whether what that key signed is good still: a socket outlives its handshake. */
  knows(kid: string): boolean;
}

/** A key of access tokens as it lies in the table. */
export interface NewSigningKey {
  kid: string;
  /** The private half, of use only to who has the ring that it was sealed with. */
  sealed: string;
}
export interface StoredSigningKey extends NewSigningKey {
  /** It is published, and its time to sign has not come. */
  mayVerifyOnly: boolean;
}

/** HMAC-SHA-256 under a key of its own for each purpose. */
export type Mac = (
  purpose:
    | 'refresh-token'
    | 'verification-code'
    | 'password-reset'
    | 'cursor'
    | 'target'
    | 'allowance'
    | 'unsubscribe'
    | 'preferences'
    | 'rate-limit'
    | 'network',
  data: string,
) => Buffer;

/** What is encrypted, and by which key. */
export interface Sealed {
  keyId: string;
  sealed: Buffer;
}
/** Encrypts what we must read again, and who has the tables alone must not. It opens for its owner's id alone. */
export interface Sealing {
  seal(plain: Uint8Array, owner: string): Sealed;
  open(sealed: Sealed, owner: string): Buffer;
}

/** What a person does with one of their connections. */
export interface Connection {
  /** Hidden is a tab that is not seen, or a screen that is locked. */
  state: 'active' | 'idle' | 'hidden';
  /** As the client named it; null where it named none. */
  deviceId: string | null;
  viewing: ConversationId | null;
}

/** A person's connections right now. `unknown` when Redis cannot say: then nobody waits for a presence. */
export type Presence = readonly Connection[] | 'unknown';

/** What several people do with their devices, for others who look at them. */
export type PresenceState = 'active' | 'idle' | 'offline' | 'unknown';

/** What became of one call to a provider, in classes that decide what happens next. */
export type SendOutcome =
  | { class: 'ok'; providerId: string }
  | {
      class:
        | 'recipient_dead'
        | 'recipient_opted_out'
        | 'recipient_soft'
        | 'content_rejected'
        | 'config_outage'
        | 'throttled'
        | 'transient'
        | 'ambiguous';
      provider: 'fcm' | 'sendgrid' | 'twilio';
      code: string;
      retryAfterMs?: number;
    };

export interface PushMessage {
  token: string;
  platform: DeviceInput['platform'];
  attemptId: string;
  /** Stable for (person, conversation), at most 64 characters: a later push replaces what is displayed. */
  conversationKey: string;
  title: string;
  body: string;
  data: Record<string, string>;
  badge: number;
  urgent: boolean;
  /** Without it the push only changes what is displayed. */
  sound: boolean;
  ttlSeconds: number;
}
/** Says nothing to the person: the app deals with it, and the icon shows the number. */
export interface SilentPush {
  token: string;
  platform: DeviceInput['platform'];
  data: Record<string, string>;
  badge: number;
  ttlSeconds: number;
}
export interface EmailMessage {
  to: string;
  attemptId: string;
  subject: string;
  text: string;
  html: string;
  /** Derived from the attempt, so a repeat carries the same one and mail programs fold the two. */
  messageId: string;
  references?: string;
  /** Where one POST ends these mails (RFC 8058); a mail that was asked for, such as a code, has none. */
  unsubscribeUrl?: string;
}
export interface SmsMessage {
  to: string;
  attemptId: string;
  body: string;
  validitySeconds: number;
}

/** The providers. They answer every outcome as a value and throw for none. */
export interface Senders {
  push: {
    send(message: PushMessage): Promise<SendOutcome>;
    sendSilently(message: SilentPush): Promise<SendOutcome>;
  };
  email: { send(message: EmailMessage): Promise<SendOutcome> };
  sms: {
    send(message: SmsMessage): Promise<SendOutcome>;
    /** Whether the provider took a text to this number that holds these words since then; undefined when it cannot say. */
    find(message: { to: string; holding: string; since: Date }): Promise<{ providerId: string } | null | undefined>;
    /** What became of a text, in the words of a report; null for one that is not there, undefined when it cannot say. */
    status(providerId: string, attemptId: string): Promise<ProviderReport | null | undefined>;
  };
}

/** What a provider reports of a mail or text, or a person by an answer to one, in our own words. */
export interface ProviderReport {
  /** The same for a repeat. */
  key: string;
  channel: 'email' | 'sms';
  fact: ReportedFact;
  /** What it says of the address or number, once for all or this time; null where it says nothing. */
  says: Exclude<SuppressionCause, 'soft_bounces'> | 'soft' | null;
  /** The provider's code; never its words, which quote addresses. */
  code: string | null;
  attemptId: string | null;
  /** Whose it is; kept as a hash alone. */
  address: string | null;
  /** Null where the provider gives no time. */
  at: Date | null;
}
export type ReportedFact =
  // How far it has come, in this order.
  | 'accepted'
  | 'sent'
  | 'delivered'
  | 'engaged'
  // That it did not come.
  | 'bounced'
  | 'blocked'
  | 'dropped'
  | 'undelivered'
  | 'failed'
  // What its reader wants.
  | 'complained'
  | 'unsubscribed'
  | 'opted_out'
  | 'opted_in'
  // Nothing that changes anything.
  | 'deferred'
  | 'other';

/** A report as it came: the body untouched, the path and query as the provider asked for them. */
export interface ReportPost {
  header: (name: string) => string | undefined;
  body: Buffer;
  pathAndQuery: string;
}
export interface ReadReports {
  reports: ProviderReport[];
  /** What was signed and yet not understood. */
  unreadable: { reason: string; body: Buffer }[];
}

/** One provider's way to report. */
export interface ReportDoor {
  source: 'sendgrid' | 'twilio';
  /** Whether the provider itself says so. Asked first; where no key is configured nothing is signed. */
  isSigned(post: ReportPost): boolean;
  read(post: ReportPost): ReadReports;
}

/** What the domain measures of itself, once it is done. Words from small closed lists; nobody's id. Never throws. */
export interface Meter {
  /** A provider took what tells of messages: how long the oldest of them had waited, and whether all was read meanwhile. */
  announced(channel: Channel, what: { waitedMs: number; readMeanwhile: boolean }): void;
  /** A report was seen to: so long after it happened, where the provider says when, and so long after it came. */
  reported(source: ReportDoor['source'], fact: ReportedFact, lag: { toldMs: number | null; waitedMs: number }): void;
  /** A device shows a notification, or somebody opened it: the first time that it says so. */
  acknowledged(event: NotificationReceipt['event']): void;
  /** What one look of the recount came to. */
  recounted(walk: string, look: RecountedLook): void;
}
export interface RecountedLook {
  agreed: number;
  excused: number;
  /** The kind of each difference. */
  kinds: readonly string[];
  /** Of episodes that have ended: how, and the last channel on which something was announced. */
  ended: readonly { outcome: string; after: Channel | 'nothing' }[];
}

/** A provider and, for push, the platform behind it: each fails by itself. */
export type CircuitName = `fcm:${DeviceInput['platform']}` | 'sendgrid' | 'twilio';

/** Why a send waits for its provider, since when the provider is out of order (or back), and until when it waits. */
export interface Held {
  why: 'breaker_open' | 'provider_recovering';
  since: Date;
  until: Date;
  /** Nobody asks right now whether the provider is back: a send that is due may go and ask. */
  mayAsk?: boolean;
}

/** Circuit breakers: what all processes have seen of each provider lately. They never throw. */
export interface Circuits {
  /** What of this person would wait now, for a decision. */
  look(userId: UserId): Promise<ReadonlyMap<CircuitName, Held>>;
  /** Immediately before a call: whether it may go, goes to ask whether the provider is back, or waits. */
  admit(name: CircuitName, userId: UserId): Promise<'go' | 'probe' | Held>;
  /** After a call, which began then or just now: counts what came of it, and answers with what is to be believed of that. */
  heed(name: CircuitName, outcome: SendOutcome, beganAt?: number): Promise<SendOutcome>;
}

/** A job as Temporal knows it; where its page is, the deployment knows. */
export type KnownJob = Omit<Job, 'url'> & { runId: string };

/**
 * The durable jobs of this deployment, as people who mend them see them. All of it asks Temporal, and is refused with
 * `unavailable` while that is away.
 */
export interface Jobs {
  /** Those that need a person, by an index that is some seconds late; `after` is where a page before ended. */
  list(
    where: JobConditions & { startedBefore?: Date },
    page: { limit: number; after: string | undefined },
  ): Promise<{ jobs: KnownJob[]; after: string | undefined }>;
  count(where: JobConditions & { startedBefore?: Date }): Promise<number>;
  /** One as it stands now, with what its page says; `details` is null while no worker answers. */
  find(id: string): Promise<(KnownJob & { details: string | null }) | undefined>;
  /**
   * Asks one to do something, and answers what came of it in words. The same `requestId` again is answered as it was the
   * first time. Refused with `not_found`, `job_ended`, `nothing_to_mend`, or `outcome_unknown` where no worker answered.
   */
  ask(
    id: string,
    action: JobAction,
    request: { by: string; channel?: Channel | undefined; note?: string | undefined; minutes?: number | undefined },
    requestId: string,
  ): Promise<string>;
}

/** Somebody else with whom people have an account, and sign in here by it. */
interface AnyProvider {
  id: string;
  /** As a button says it. */
  name: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  scope: string;
  /** Whether an address counts as proved that it vouches for. */
  trustsEmail: boolean;
}
export interface OidcProvider extends AnyProvider {
  type: 'oidc' | 'entra';
  /** How it answers where it is not by the query: Apple tells an address only by a form. */
  responseMode?: 'form_post' | undefined;
}
/** GitHub, GitHub Enterprise, and what speaks as they do. */
export interface GitHubProvider extends AnyProvider {
  type: 'github';
  urls: { authorize: string; token: string; profile: string; emails: string };
}
export type IdentityProvider = OidcProvider | GitHubProvider;

/** Who spends. A budget of somebody who is not named here is not spent from. */
export interface Spender {
  userId?: UserId | undefined;
  sessionId?: string | undefined;
  address?: string | undefined;
  /** What somebody signs in as, in the form in which it is stored. */
  account?: string | undefined;
  conversationId?: string | undefined;
}

/** How a budget stands once something was asked of it. */
export interface Budget {
  name: LimiterName;
  points: number;
  seconds: number;
  remaining: number;
  /** Until all of it is there again. */
  resetMs: number;
}
export interface Spent {
  budgets: readonly Budget[];
  /** The one that has not enough: what was asked for must not be done. */
  refused: Budget | undefined;
  /** Redis was waited for in vain: what else belongs to the same call does not ask it. */
  waited: boolean;
}

/** What one person, address or conversation may ask in a time, by all doors and nodes together. */
export interface RateLimits {
  /**
   * Takes a price from each budget, in their order, until one has not enough. Never throws, and waits for Redis once and
   * not long; not at all where `ask` is false.
   */
  spend(prices: readonly Price[], by: Spender, ask?: boolean): Spent | Promise<Spent>;
}

/** When the steps of an episode fall due, in milliseconds. Data, not code: a deployment has its own. */
export interface Ladder {
  /** From arming to the push: the burst window of who is away. */
  pushMs: number;
  /** The same for who is active elsewhere, and has chosen no time of their own: time to read first. */
  pushPresentMs: number;
  /** For who looks at the conversation itself. */
  pushFocusedMs: number;
  /** For who is connected and does nothing. */
  pushIdleMs: number;
  /** Within which a client that is there says that it has a message; after that it counts as gone. */
  acknowledgeMs: number;
  /** Between two pushes about one conversation. */
  realertGapMs: number;
  sound: {
    /** Pushes that replace one and may make a sound as it did; */
    first: number;
    /** and from then on the time from one that does to the next. */
    gapMs: number;
    /** The same for a room that is followed message by message, from the first on. */
    roomGapMs: number;
  };
  emailMs: number;
  /** From arming to the mail when no push could be handed to a provider. */
  emailWithoutPushMs: number;
  smsMs: number;
  /** From a mail's failure to the text, where that is earlier. */
  smsAfterFailureMs: number;
  /** From arming: when a step is too late to be useful. */
  pushUntilMs: number;
  emailUntilMs: number;
  smsUntilMs: number;
  urgent: {
    /** From an urgent message to its push: whoever is connected is told, too. */
    pushMs: number;
    /** From the message to the first push of the same once more, and from each to the next. */
    repeatMs: number;
    /** How often the same is pushed once more; then no more. */
    repeats: number;
    /** To the text, for who wants one of what is urgent. */
    smsMs: number;
    /** When its push is no longer urgent: what was not pushed by then is pushed as any other message. */
    untilMs: number;
  };
  /** When no text is sent but an urgent one, by the recipient's clock; null for no such time. */
  smsNight: { from: string; until: string } | null;
  /** What is kept back while people want to be left alone leaves within so long after the end, not all at once. */
  releaseJitterMs: number;
  /** The same for gathered mail, which is for everybody of a zone due at once. */
  digestJitterMs: number;
  /** How long a mail whose fate is not known is left to settle before it is sent again. */
  emailSettleMs: number;
  /** The same for a text, before it is looked for. */
  smsSettleMs: number;
  retry: {
    firstMs: number;
    maxMs: number;
    /**
     * After so long a failing provider becomes something that a person must look at. Kept as a number of tries, so that
     * waiting for one's turn at the provider counts as no failure.
     */
    giveUpMs: number;
    /** A worker that was not heard from for so long is taken for dead. */
    heartbeatMs: number;
  };
}

/** How a node keeps up with sessions that end. */
export interface RevocationTimes {
  /** Milliseconds between looks at the table. */
  reloadMs: number;
  /** Milliseconds without a look that succeeded, after which nobody is let in. */
  fenceMs: number;
}

/** How many notifications one person may get, and how many texts the organisation pays for. Data, not code. */
export interface Caps {
  /** Pushes that make a sound; beyond, they change what is displayed and are silent. */
  alertsPer10Minutes: number;
  alertsPerDay: number;
  emailsPerHour: number;
  emailsPerDay: number;
  textsPerHour: number;
  textsPerDay: number;
  /** For what is urgent when the rest is spent. */
  urgentAlertsPerDay: number;
  urgentTextsPerDay: number;
  /** Texts of all people in a day (UTC); null for no limit. */
  orgTextsPerDay: number | null;
}

/**
 * What the outside supplies. A function names the few that it needs with `Pick`, so that its signature says what it can
 * touch and a test supplies no more.
 */
export interface Deps {
  db: Db;
  now(): Date;
  /** UUIDv7: ordered by time. */
  newId(): string;
  log: Log;
  /** Tells what happened to whoever is connected, best effort. Never throws, never waits. */
  publishLive(events: readonly DomainEvent[]): void;
  /** Stores a message together with whatever else waits; see `createLane`. */
  storeMessage(message: NewMessageRow): Promise<StoreResult>;
  /** Whether no more messages may wait to be stored: asked before anything is spent on one. */
  storesAreFull(): boolean;
  moveWatermark(move: WatermarkMove): Promise<MovedWatermark | null>;
  passwords: Passwords;
  tokens: Tokens;
  /** Null where no ring is configured to seal it with: then the keys are those of the configuration. */
  makeSigningKey: (() => NewSigningKey) | null;
  mac: Mac;
  sealing: Sealing;
  presence(userId: UserId): Promise<Presence>;
  presences(userIds: readonly UserId[]): Promise<ReadonlyMap<UserId, PresenceState>>;
  senders: Senders;
  meter: Meter;
  ladder: Ladder;
  caps: Caps;
  circuits: Circuits;
  jobs: Jobs;
  /** Where links in notifications lead: the address of the web client. */
  publicUrl: string;
  /** Who else people may sign in by. */
  identityProviders: readonly Provider[];
  /** Where a browser may be sent to that comes back from one of them; the first where nothing is said. */
  returnAddresses: readonly string[];
  /** Web origins that passkeys may be used from: the public address's, and those that were named. */
  origins: readonly string[];
  /** Where the Temporal UI shows a workflow; null where this deployment has named no such address. */
  workflowUrl(workflowId: string, runId?: string): string | null;
}
