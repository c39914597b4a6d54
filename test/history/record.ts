import type { ErrorCode } from '../../contracts/errors.ts';

/**
 * What a run writes down, one record for each thing that happened, in the order of one monotonic clock. The checker
 * knows nothing but these: it shares no code with the system, and no model either.
 */
export type HistoryRecord =
  | Casting
  | Founding
  | Begun
  | Answered
  | (Moment & { kind: 'refused'; attempt: number; code: ErrorCode })
  /** No answer, or one that does not say what became of it. */
  | (Moment & { kind: 'unknown'; attempt: number; why: string })
  /** Came over a socket unasked; `dropped` says that the client was kept from seeing it. */
  | (Moment & { kind: 'delivered'; entry: Entry; dropped: boolean })
  | Moved
  /** A client told its person of a new message. */
  | (Moment & { kind: 'told'; conversation: string; message: Seen })
  | State
  | Current
  | Stored
  | Personal
  /** `struck`, at its end: it was seen to have an effect. */
  | (Moment & { kind: 'fault'; name: string; on: boolean; struck?: boolean });

export interface Moment {
  /** Milliseconds of one monotonic clock. */
  at: number;
  /** The device; `stage` for what the run itself does. */
  who: string;
}

/** A device of a person, or one more process of it. */
export interface Casting extends Moment {
  kind: 'client';
  person: string;
  door: string;
  /** The name of its first process, where it has several. */
  device?: string;
}

/** A conversation begins: who owns it, and what newcomers may read. */
export interface Founding extends Moment {
  kind: 'founded';
  conversation: string;
  owner: string;
  history: 'all' | 'joining';
  /** In a channel fewer may do less. */
  channel: boolean;
}

/** A client asks for something. A repeat of it is another attempt with the same `clientId`. */
export interface Begun extends Moment {
  kind: 'begin';
  attempt: number;
  operation: Operation;
}

export interface Answered extends Moment {
  kind: 'ok';
  attempt: number;
  answer: Answer;
}

/**
 * What a client's own state did: took the next entry, was replaced by a newer state as a whole, or ended with the
 * membership.
 */
export interface Moved extends Moment {
  kind: 'applied' | 'replaced' | 'ended';
  conversation: string;
  version: number;
}

export type Operation =
  | {
      what: 'send';
      conversation: string;
      clientId: string;
      text: string;
      /** A message of the thread that it shall stand in. */
      thread?: string;
      /** Whom it mentions. */
      mention?: string;
    }
  /** `conversation` is where it goes to. */
  | { what: 'forward'; conversation: string; clientId: string; from: string; messageId: string }
  | { what: 'edit'; conversation: string; messageId: string; clientId: string; text: string }
  | { what: 'delete'; conversation: string; messageId: string }
  | { what: 'react'; conversation: string; messageId: string; emoji: string; on: boolean }
  | { what: 'pin'; conversation: string; messageId: string; on: boolean }
  | { what: 'read'; conversation: string; seq: number }
  | { what: 'follow'; conversation: string; messageId: string; following?: boolean; seq?: number }
  | { what: 'threads'; conversation: string; limit: number }
  | { what: 'page'; conversation: string; before?: number; after?: number; limit: number }
  | { what: 'add'; conversation: string; person: string }
  | { what: 'remove'; conversation: string; person: string }
  | { what: 'leave'; conversation: string }
  | { what: 'role'; conversation: string; person: string; role: Role }
  | { what: 'title'; conversation: string; title: string }
  /** Null takes it away. */
  | { what: 'mark'; conversation: string; seq: number | null }
  /** Some of it; the rest stays as it is. */
  | { what: 'set'; conversation: string; settings: Partial<Settings> }
  | { what: 'draft'; conversation: string; text: string | null }
  | { what: 'drafts' }
  | { what: 'block'; person: string; on: boolean }
  | { what: 'blocks' }
  | { what: 'sync' }
  | { what: 'after'; conversation: string; version: number };
export type OperationOf<What extends Operation['what']> = Extract<Operation, { what: What }>;

/** What was answered, in the parts that the checks look at. */
export interface Answer {
  message?: Seen;
  repeated?: boolean;
  readSeq?: number;
  messages?: Seen[];
  entries?: Entry[];
  snapshots?: Snapshotted[];
  /** Conversations that the answer says are lost. */
  lost?: string[];
  standings?: Standing[];
  threads?: Followed[];
  /** `conversation text`. */
  drafts?: string[];
  blocked?: string[];
}

/** A message as somebody saw it. */
export interface Seen {
  seq: number;
  version: number;
  changedVersion: number;
  id: string;
  clientId: string;
  senderId: string;
  kind: 'text' | 'system';
  text: string | null;
  deleted: boolean;
  pinned: boolean;
  /** The first message of the thread that it stands in. */
  threadId: string | null;
  /** Of the first message of a thread: `3 to 17`. */
  thread: string | null;
  mentions: string[];
  /** The message that it was forwarded from, the first of all. */
  forwarded: string | null;
  /** It is marked as of somebody whom the reader has blocked. */
  fromBlocked: boolean;
  /** `👍 2` or, with one's own among them, `👍 2 mine`. */
  reactions: string[];
}

export type Role = 'owner' | 'admin' | 'member' | 'read_only';
export interface Roled {
  userId: string;
  role: Role;
}

/** An entry of the log as somebody was told it. */
export interface Entry {
  conversation: string;
  version: number;
  type: string;
  actor: string;
  /** The message that it is, or is about. */
  seq: number | null;
  /** The message that it is. */
  message: Seen | null;
}

export interface Snapshotted {
  conversation: string;
  version: number;
  messages: Seen[];
}

export interface Standing {
  conversation: string;
  readSeq: number;
  unread: number;
  mentions: number;
  unreadMark: number | null;
}

/** A thread as it is to somebody. */
export interface Followed {
  rootSeq: number;
  following: boolean;
  readSeq: number;
  unread: number;
  mentions: number;
}

/** What a client holds of one conversation at a rest; of a fresh one, what the server says to who holds nothing. */
export interface State extends Moment {
  kind: 'state';
  rest: number;
  fresh: boolean;
  /** Null where the client holds nothing of it. */
  held: Held | null;
  /** Where the client says anything of it. */
  own?: Own;
  conversation: string;
}

/** What somebody has set a conversation to be to them. */
export interface Settings {
  level: 'all' | 'mentions' | 'nothing' | null;
  pinned: boolean;
  archived: boolean;
  mutedUntil: string | null;
}

/** How far somebody is; `cameSeq` is the last message when they came. */
export interface Watermarks {
  deliveredSeq: number;
  readSeq: number;
  cameSeq: number;
}

/** What a client says of its own person in a conversation, and of how far the others are. */
export interface Own extends Settings, Omit<Watermarks, 'cameSeq'> {
  unread: number;
  mentions: number;
  unreadMark: number | null;
  role: Role;
  /** Messages that were written and stand in no log. */
  waiting: number;
  /** Who tells how far they are. */
  others: ({ userId: string } & Watermarks)[];
}

/** A client came to what the database holds, or did not, after the last write before a rest. */
export interface Current extends Moment {
  kind: 'current';
  rest: number;
  /** Looks that its node's digest had made since then; null where it never came to it. */
  looks: number | null;
}

export interface Held {
  version: number;
  lastSeq: number;
  title: string | null;
  /** `user role`, sorted. */
  members: string[];
  messages: Seen[];
}

/** What the database holds of one conversation at a rest. */
export interface Stored extends Moment {
  kind: 'stored';
  rest: number;
  conversation: string;
  version: number;
  lastSeq: number;
  title: string | null;
  messages: StoredMessage[];
  changes: StoredChange[];
  members: StoredMember[];
  reactions: { seq: number; emoji: string; userId: string }[];
  threads: { rootSeq: number; replyCount: number; lastSeq: number }[];
  followers: { rootSeq: number; userId: string; following: boolean; readSeq: number }[];
  /** Messages for which something is, or was, owed to who is away. */
  owed: { seqFrom: number; seqTo: number }[];
}

export interface StoredMessage extends Omit<Seen, 'reactions' | 'thread' | 'fromBlocked'> {
  threadSeq: number | null;
  /** Who came or went by it, where it is a system line of that. */
  joined: string[];
  left: string[];
  /** Who has which role from it on. */
  roles: Roled[];
  /** The message that it says was pinned, or is no more. */
  target: number | null;
  /** Earlier texts that are kept of it. */
  revisions: number;
  /** What kind of change a system line tells. */
  system: string | null;
}

/** What the database holds of a person alone at a rest. */
export interface Personal extends Moment {
  kind: 'personal';
  rest: number;
  person: string;
  blocked: string[];
  /** `conversation text`. */
  drafts: string[];
}

/** An entry of the log that is no message. */
export interface StoredChange {
  version: number;
  /** Messages before it, as the entry says itself. */
  seq: number;
  type: string;
  actor: string;
  messageSeq: number | null;
  joined: string[];
  left: string[];
  roles: Roled[];
  emoji: string | null;
}

export interface StoredMember extends Settings, Watermarks {
  userId: string;
  role: string;
  joinedSeq: number;
  present: boolean;
  leftVersion: number | null;
  unreadMark: number | null;
  /** Counted from the messages. */
  unread: number;
  mentions: number;
}

export type History = readonly HistoryRecord[];
