import type { Scope, UserRole } from '../../contracts/entities/index.ts';
import type { ClientEventName, ServerEventName } from '../../contracts/realtime/index.ts';
import type { Auth, Endpoint, endpoints } from '../../contracts/rest/index.ts';
import type { Right } from './rights.ts';

/** Where a call names something: a parameter or a field of it; of a socket event, a field of its input. */
export type Place = `${'params' | 'query' | 'body' | 'input'}.${string}`;

/** Nobody needs to be signed in. What is secret about it, a password or a token, is in the body and judged there. */
export interface OpenRule {
  who: 'anybody';
}

/** What a token needs for it; `session`: no token is enough, whoever made it. Who is signed in needs none. */
export type Needed = Scope | 'session';
/**
 * What a call may name beside, and what that is: somebody, a member of the conversation, a message of it that they may read;
 * else it is refused, and names the field. Of conversations (`sync`) those that are not theirs are told as left.
 */
export interface Besides {
  at: Place;
  is: 'person' | 'member' | 'message' | 'conversation';
}
interface Scoped {
  scope: Needed;
  besides?: readonly Besides[];
}

/** Whoever is signed in, about what is theirs. What a call names must be theirs too; what is another's is not there. */
export interface PersonRule extends Scoped {
  who: 'person';
  own?: {
    what:
      | ('session' | 'device' | 'passkey' | 'identity' | 'block' | 'notification' | 'draft')
      | ('token' | 'accessToken' | 'bot');
    at: Place;
  };
  /** Of others too, for whoever has this role of the organisation or a higher one. */
  orRole?: UserRole;
  /** Somebody who can be talked to; anybody may name them. */
  names?: Place;
  /** They need not be one who can be talked to at the moment. */
  evenSuspended?: true;
  /** What is not there yet is made under that id, for them alone. */
  makes?: true;
  /**
   * Why row-level security is not behind it: it asks what was theirs then, or is called so often that the look at every row
   * costs too much, and judges in its own statement.
   */
  alone?: 'past' | 'hot';
}

/**
 * A member of the conversation that the call names. Judged in this order: the membership (else `not_found`), the right of
 * their role (else `forbidden`), whether what else is named is there to them (else `not_found`), whose it is (else
 * `forbidden`).
 */
export interface MemberRule extends Scoped {
  who: 'member';
  of: Place;
  /** What their role must allow there; without one reading, which is every member's. */
  right?: Right;
  message?: {
    at: Place;
    /** A deleted one is not there. */
    alive?: true;
    /** For who wrote it alone. */
    by?: 'author';
    /** The right that is needed of who wrote it, and of others. */
    rights?: { author: Right; others: Right };
  };
  /** Another person whom it is done to: a member, or anybody, or who is kept out. */
  person?: {
    at: Place;
    is: 'member' | 'anybody' | 'banned';
    /** They must stand below who does it. */
    rank?: true;
    /** What it takes to do it to oneself; left out where that is refused. */
    self?: Right;
  };
  invite?: Place;
  /** A second conversation, where the actor needs that right. */
  into?: { at: Place; right: Right };
}

/** Who is no member yet, and by which door they may come in. Who is banned finds none. */
export interface NewcomerRule extends Scoped {
  who: 'newcomer';
  by: 'open channel' | 'code';
  at: Place;
}

/** A role of the organisation, or a higher one: asked before anything is looked up. */
export interface StaffRule extends Scoped {
  who: 'staff';
  role: UserRole;
  /** What the call names; of any person. */
  about?: { what: 'person' | 'message' | 'notification' | 'job'; at: Place };
}

export type SignedInRule = PersonRule | MemberRule | NewcomerRule | StaffRule;
export type Rule = OpenRule | SignedInRule;

type Operations = typeof endpoints;
/** What is open to anybody and what is not is one word in the contract and here: the compiler compares them. */
type RuleFor<E extends Endpoint> = E['auth'] extends Exclude<Auth, 'user'> ? OpenRule : SignedInRule;

const anybody: OpenRule = { who: 'anybody' };
const person = (scope: Needed): PersonRule => ({ who: 'person', scope });
const own = (scope: Needed, what: NonNullable<PersonRule['own']>['what'], at: Place): PersonRule => ({
  ...{ who: 'person', scope },
  own: { what, at },
});
const someone = (scope: Needed, names: Place): PersonRule => ({ who: 'person', scope, names });

type OfMember = Omit<MemberRule, 'who' | 'scope' | 'of' | 'right'>;
const member = (scope: Needed, right?: Right, what: OfMember = {}): MemberRule => ({
  ...{ who: 'member', scope, of: 'params.id' },
  ...(right ? { right } : {}),
  ...what,
});
const messageAt = 'params.messageId';
const ofMessage = (scope: Needed, right?: Right, what: Omit<NonNullable<MemberRule['message']>, 'at'> = {}) =>
  member(scope, right, { message: { at: messageAt, ...what } });

type Written = 'body' | 'input.message' | 'input.edit';
const mentioned = (at: Written): Besides => ({ at: `${at}.mentions.userId`, is: 'member' });
const inSend = (at: Written): readonly Besides[] => [
  { at: `${at}.replyTo`, is: 'message' },
  { at: `${at}.threadId`, is: 'message' },
  mentioned(at),
];

const staff = (scope: Needed, role: UserRole, about?: StaffRule['about']): StaffRule => ({
  ...{ who: 'staff', scope, role },
  ...(about ? { about } : {}),
});
const job = (scope: Needed) => staff(scope, 'operator', { what: 'job', at: 'params.id' });

/**
 * Who may ask what: a row for each operation, whichever door it comes through. An operation without a row does not
 * compile, and is not mounted. Roles are enforced from here, for every door (`api/operations.ts`); rights are asked for by
 * the guards, which load and judge in one act; that these say the same as the rows is what the matrix in
 * `test/access/` proves, cell by cell; and so is what a token needs, which must be said in each row. A send is judged by the statement that stores it (`sendRights`).
 */
export const policy: { readonly [Id in keyof Operations]: RuleFor<Operations[Id]> } = {
  register: anybody,
  login: anybody,
  refresh: anybody,
  secondFactor: anybody,
  beginPasskeySignIn: anybody,
  signInWithPasskey: anybody,
  listProviders: anybody,
  beginSignInWith: anybody,
  exchangeCode: anybody,
  forgotPassword: anybody,
  resetPassword: anybody,
  livez: anybody,
  readyz: anybody,
  getLimits: anybody,
  getAddress: anybody,
  jwks: anybody,

  logout: person('session'),
  listSessions: person('session'),
  revokeSession: own('session', 'session', 'params.id'),
  revokeOtherSessions: person('session'),
  stepUp: person('session'),
  beginPasskeyStepUp: person('session'),

  getFactors: person('session'),
  beginTotp: person('session'),
  confirmTotp: person('session'),
  removeTotp: person('session'),
  renewRecoveryCodes: person('session'),
  beginPasskey: person('session'),
  addPasskey: person('session'),
  renamePasskey: own('session', 'passkey', 'params.id'),
  removePasskey: own('session', 'passkey', 'params.id'),

  listIdentities: person('session'),
  beginIdentity: person('session'),
  addIdentity: person('session'),
  removeIdentity: own('session', 'identity', 'params.provider'),

  createToken: person('session'),
  listTokens: person('session'),
  endToken: own('session', 'accessToken', 'params.tokenId'),
  createBot: person('session'),
  listBots: person('session'),
  renameBot: { ...own('session', 'bot', 'params.id'), orRole: 'admin' },
  endBot: { ...own('session', 'bot', 'params.id'), orRole: 'admin' },
  createBotToken: own('session', 'bot', 'params.id'),
  listBotTokens: own('session', 'bot', 'params.id'),

  getMe: person('profile:read'),
  updateMe: person('profile:write'),
  changePassword: person('session'),
  setEmail: person('session'),
  verifyEmail: person('session'),
  setPhone: person('session'),
  verifyPhone: person('session'),
  getUser: someone('profile:read', 'params.id'),
  listBlocks: person('profile:read'),
  blockUser: { ...someone('profile:write', 'params.userId'), evenSuspended: true },
  unblockUser: own('profile:write', 'block', 'params.userId'),
  putDevice: { ...own('session', 'device', 'params.deviceId'), makes: true },
  listDevices: person('notifications:read'),
  deleteDevice: own('session', 'device', 'params.deviceId'),
  getNotificationSettings: person('notifications:read'),
  updateNotificationSettings: person('notifications:write'),
  acknowledgeNotification: own('notifications:write', 'notification', 'params.attemptId'),
  explainMyNotification: { ...own('notifications:read', 'notification', 'params.attemptId'), alone: 'past' },
  listSuppressions: person('notifications:read'),
  resubscribe: person('notifications:write'),

  createConversation: someone('conversations:write', 'body.memberIds'),
  listConversations: person('conversations:read'),
  listChannels: person('conversations:read'),
  getConversation: member('conversations:read'),
  updateConversation: member('conversations:write', 'changeSettings'),
  deleteConversation: member('conversations:write', 'end'),
  updateMyMembership: member('notifications:write'),

  listMembers: member('conversations:read'),
  addMembers: member('conversations:write', 'addMembers', { besides: [{ at: 'body.userIds', is: 'person' }] }),
  changeMember: member('conversations:write', 'changeRoles', {
    person: { at: 'params.userId', is: 'member', rank: true, self: 'changeRoles' },
  }),
  removeMember: member('conversations:write', 'removeMembers', {
    person: { at: 'params.userId', is: 'member', rank: true, self: 'leave' },
  }),
  leaveConversation: member('conversations:write', 'leave'),
  transferOwnership: member('session', 'transfer', { person: { at: 'body.userId', is: 'member' } }),
  joinChannel: { who: 'newcomer', scope: 'conversations:write', by: 'open channel', at: 'params.id' },
  acceptInvite: { who: 'newcomer', scope: 'conversations:write', by: 'code', at: 'params.code' },
  listInvites: member('conversations:read', 'invite'),
  createInvite: member('conversations:write', 'invite'),
  revokeInvite: member('conversations:write', 'invite', { invite: 'params.inviteId' }),
  listBans: member('conversations:read', 'removeMembers'),
  banMember: member('conversations:write', 'removeMembers', {
    person: { at: 'params.userId', is: 'anybody', rank: true },
  }),
  unbanMember: member('conversations:write', 'removeMembers', { person: { at: 'params.userId', is: 'banned' } }),

  sendMessage: member('messages:write', 'write', { besides: inSend('body') }),
  listMessages: member('messages:read'),
  getMessage: ofMessage('messages:read'),
  editMessage: {
    ...ofMessage('messages:write', 'editOwn', { alive: true, by: 'author' }),
    besides: [mentioned('body')],
  },
  deleteMessage: ofMessage('messages:write', undefined, { rights: { author: 'deleteOwn', others: 'deleteAny' } }),
  messageHistory: ofMessage('messages:read'),
  forwardMessage: member('messages:write', undefined, {
    message: { at: messageAt, alive: true },
    into: { at: 'body.conversationId', right: 'write' },
  }),
  addReaction: ofMessage('messages:write', 'react', { alive: true }),
  removeReaction: ofMessage('messages:write', 'unreact', { alive: true }),
  listReactions: ofMessage('messages:read'),
  pinMessage: ofMessage('messages:write', 'pin', { alive: true }),
  unpinMessage: ofMessage('messages:write', 'pin', { alive: true }),
  listPins: member('messages:read'),
  listReplies: ofMessage('messages:read'),
  updateThread: ofMessage('notifications:write'),
  listThreads: member('messages:read'),
  messageReceipts: ofMessage('messages:read', 'seeReceipts', { by: 'author' }),

  updateReceipts: member('receipts:write'),
  setUnreadMark: member('receipts:write'),
  getUnread: person('messages:read'),
  putDraft: member('messages:write', undefined, { besides: [{ at: 'body.replyTo', is: 'message' }] }),
  // Of who has gone it is still theirs to throw away.
  deleteDraft: own('messages:write', 'draft', 'params.id'),
  listDrafts: person('messages:read'),
  eventsAfter: member('messages:read'),
  sync: { ...person('messages:read'), alone: 'hot', besides: [{ at: 'body.known', is: 'conversation' }] },

  getUserStory: staff('admin:read', 'support', { what: 'person', at: 'params.id' }),
  explainMessage: {
    ...staff('admin:read', 'support', { what: 'message', at: 'params.id' }),
    besides: [{ at: 'query.userId', is: 'person' }],
  },
  explainAttempt: staff('admin:read', 'support', { what: 'notification', at: 'params.id' }),
  getReconciliation: staff('admin:read', 'operator'),
  suspendUser: staff('session', 'admin', { what: 'person', at: 'params.id' }),
  reactivateUser: staff('session', 'admin', { what: 'person', at: 'params.id' }),
  removeFactors: staff('session', 'admin', { what: 'person', at: 'params.id' }),
  listAudit: staff('admin:read', 'admin'),

  listJobs: staff('admin:read', 'operator'),
  getJob: job('admin:read'),
  retryJob: job('admin:write'),
  skipJob: job('admin:write'),
  snoozeJob: job('admin:write'),
  closeJob: job('admin:write'),
  mendJobs: staff('admin:write', 'operator'),
};

/** The row of an operation; one that has none is nobody's to ask. */
export function ruleOf(operationId: string): Rule {
  const rule = Object.hasOwn(policy, operationId) ? policy[operationId as keyof Operations] : undefined;
  if (!rule) throw new Error(`The operation ${operationId} has no row in domain/access/policy.ts: say who may ask it.`);
  return rule;
}

const inConversation = (
  scope: Needed,
  right?: Right,
  message?: Omit<NonNullable<MemberRule['message']>, 'at'>,
): MemberRule => ({
  ...{ who: 'member', scope, of: 'input.conversationId' },
  ...(right ? { right } : {}),
  ...(message ? { message: { at: 'input.messageId', ...message } } : {}),
});

/** The same for what a socket may ask by an event of its own. A socket is a person's from its handshake on. */
export const eventPolicy: { readonly [Name in ClientEventName]: SignedInRule | 'as its operation' } = {
  'message.send': { ...inConversation('messages:write', 'write'), besides: inSend('input.message') },
  'message.edit': {
    ...inConversation('messages:write', 'editOwn', { alive: true, by: 'author' }),
    besides: [mentioned('input.edit')],
  },
  'message.delete': inConversation('messages:write', undefined, {
    rights: { author: 'deleteOwn', others: 'deleteAny' },
  }),
  'reaction.set': inConversation('messages:write', 'react', { alive: true }),
  'receipt.update': inConversation('receipts:write'),
  'typing.set': inConversation('messages:write', 'write'),
  // A program is nobody who looks.
  'presence.set': { who: 'member', scope: 'session', of: 'input.viewing' },
  sync: { ...person('messages:read'), alone: 'hot', besides: [{ at: 'input.known', is: 'conversation' }] },
  'events.after': inConversation('messages:read'),
  'session.renew': own('session', 'token', 'input.token'),
  request: 'as its operation',
};

export function eventRuleOf(name: Exclude<ClientEventName, 'request'>): SignedInRule {
  const rule = eventPolicy[name];
  if (rule === 'as its operation') throw new Error(`${name} is judged as the operation that it names`);
  return rule;
}

/** What a socket needs to be opened by a token; who reads no messages has nothing to hear. */
export const scopeOfSocket: Scope = 'messages:read';

/**
 * What the socket of a token needs to hear each event; what is `null` is about the connection itself, and told to all. Who
 * reads messages hears where they stand, too: names and members of conversations, marks, drafts. `session`: withheld.
 */
export const heardBy: { readonly [Name in ServerEventName]: Needed | null } = {
  hello: null,
  notice: null,
  event: 'messages:read',
  heads: 'messages:read',
  receipts: 'messages:read',
  typing: 'messages:read',
  attention: 'messages:read',
  thread: 'messages:read',
  membership: 'messages:read',
  draft: 'messages:read',
  blocks: 'profile:read',
  'notification-settings': 'notifications:read',
  presence: 'session',
};
