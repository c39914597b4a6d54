import type { UserRole } from '../../contracts/entities/index.ts';
import type { ClientEventName } from '../../contracts/realtime/index.ts';
import type { Auth, Endpoint, endpoints } from '../../contracts/rest/index.ts';
import type { Right } from './rights.ts';

/** Where a call names something: a parameter or a field of it; of a socket event, a field of its input. */
export type Place = `${'params' | 'query' | 'body' | 'input'}.${string}`;

/** Nobody needs to be signed in. What is secret about it, a password or a token, is in the body and judged there. */
export interface OpenRule {
  who: 'anybody';
}

/** Whoever is signed in, about what is theirs. What a call names must be theirs too; what is another's is not there. */
export interface PersonRule {
  who: 'person';
  own?: {
    what: 'session' | 'device' | 'passkey' | 'identity' | 'block' | 'notification' | 'draft' | 'token';
    at: Place;
  };
  /** Somebody who can be talked to; anybody may name them. */
  names?: Place;
  /** They need not be one who can be talked to at the moment. */
  evenSuspended?: true;
  /** What is not there yet is made under that id, for them alone. */
  makes?: true;
}

/**
 * A member of the conversation that the call names. Judged in this order: the membership (else `not_found`), the right of
 * their role (else `forbidden`), whether what else is named is there to them (else `not_found`), whose it is (else
 * `forbidden`).
 */
export interface MemberRule {
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
export interface NewcomerRule {
  who: 'newcomer';
  by: 'open channel' | 'code';
  at: Place;
}

/** A role of the organisation, or a higher one: asked before anything is looked up. */
export interface StaffRule {
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
const person: PersonRule = { who: 'person' };
const own = (what: NonNullable<PersonRule['own']>['what'], at: Place): PersonRule => ({
  who: 'person',
  own: { what, at },
});
const someone = (names: Place): PersonRule => ({ who: 'person', names });

const member = (right?: Right, what: Omit<MemberRule, 'who' | 'of' | 'right'> = {}): MemberRule => ({
  ...{ who: 'member', of: 'params.id' },
  ...(right ? { right } : {}),
  ...what,
});
const messageAt = 'params.messageId';
const ofMessage = (right?: Right, what: Omit<NonNullable<MemberRule['message']>, 'at'> = {}) =>
  member(right, { message: { at: messageAt, ...what } });

const staff = (role: UserRole, about?: StaffRule['about']): StaffRule => ({
  ...{ who: 'staff', role },
  ...(about ? { about } : {}),
});
const job = staff('operator', { what: 'job', at: 'params.id' });

/**
 * Who may ask what: a row for each operation, whichever door it comes through. An operation without a row does not
 * compile, and is not mounted. Roles are enforced from here, for every door (`api/operations.ts`); rights are asked for by
 * the guards, which load and judge in one act; that these say the same as the rows is what the matrix in
 * `test/access/` proves, cell by cell. A send is judged by the statement that stores it (`sendRights`).
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

  logout: person,
  listSessions: person,
  revokeSession: own('session', 'params.id'),
  revokeOtherSessions: person,
  stepUp: person,
  beginPasskeyStepUp: person,

  getFactors: person,
  beginTotp: person,
  confirmTotp: person,
  removeTotp: person,
  renewRecoveryCodes: person,
  beginPasskey: person,
  addPasskey: person,
  renamePasskey: own('passkey', 'params.id'),
  removePasskey: own('passkey', 'params.id'),

  listIdentities: person,
  beginIdentity: person,
  addIdentity: person,
  removeIdentity: own('identity', 'params.provider'),

  getMe: person,
  updateMe: person,
  changePassword: person,
  setEmail: person,
  verifyEmail: person,
  setPhone: person,
  verifyPhone: person,
  getUser: someone('params.id'),
  listBlocks: person,
  blockUser: { ...someone('params.userId'), evenSuspended: true },
  unblockUser: own('block', 'params.userId'),
  putDevice: { ...own('device', 'params.deviceId'), makes: true },
  listDevices: person,
  deleteDevice: own('device', 'params.deviceId'),
  getNotificationSettings: person,
  updateNotificationSettings: person,
  acknowledgeNotification: own('notification', 'params.attemptId'),
  explainMyNotification: own('notification', 'params.attemptId'),
  listSuppressions: person,
  resubscribe: person,

  createConversation: someone('body.memberIds'),
  listConversations: person,
  listChannels: person,
  getConversation: member(),
  updateConversation: member('changeSettings'),
  deleteConversation: member('end'),
  updateMyMembership: member(),

  listMembers: member(),
  addMembers: member('addMembers'),
  changeMember: member('changeRoles', {
    person: { at: 'params.userId', is: 'member', rank: true, self: 'changeRoles' },
  }),
  removeMember: member('removeMembers', { person: { at: 'params.userId', is: 'member', rank: true, self: 'leave' } }),
  leaveConversation: member('leave'),
  transferOwnership: member('transfer', { person: { at: 'body.userId', is: 'member' } }),
  joinChannel: { who: 'newcomer', by: 'open channel', at: 'params.id' },
  acceptInvite: { who: 'newcomer', by: 'code', at: 'params.code' },
  listInvites: member('invite'),
  createInvite: member('invite'),
  revokeInvite: member('invite', { invite: 'params.inviteId' }),
  listBans: member('removeMembers'),
  banMember: member('removeMembers', { person: { at: 'params.userId', is: 'anybody', rank: true } }),
  unbanMember: member('removeMembers', { person: { at: 'params.userId', is: 'banned' } }),

  sendMessage: member('write'),
  listMessages: member(),
  getMessage: ofMessage(),
  editMessage: ofMessage('editOwn', { alive: true, by: 'author' }),
  deleteMessage: ofMessage(undefined, { rights: { author: 'deleteOwn', others: 'deleteAny' } }),
  messageHistory: ofMessage(),
  forwardMessage: member(undefined, {
    message: { at: messageAt, alive: true },
    into: { at: 'body.conversationId', right: 'write' },
  }),
  addReaction: ofMessage('react', { alive: true }),
  removeReaction: ofMessage('unreact', { alive: true }),
  listReactions: ofMessage(),
  pinMessage: ofMessage('pin', { alive: true }),
  unpinMessage: ofMessage('pin', { alive: true }),
  listPins: member(),
  listReplies: ofMessage(),
  updateThread: ofMessage(),
  listThreads: member(),
  messageReceipts: ofMessage('seeReceipts', { by: 'author' }),

  updateReceipts: member(),
  setUnreadMark: member(),
  getUnread: person,
  putDraft: member(),
  // Of who has gone it is still theirs to throw away.
  deleteDraft: own('draft', 'params.id'),
  listDrafts: person,
  eventsAfter: member(),
  sync: person,

  getUserStory: staff('support', { what: 'person', at: 'params.id' }),
  explainMessage: staff('support', { what: 'message', at: 'params.id' }),
  explainAttempt: staff('support', { what: 'notification', at: 'params.id' }),
  getReconciliation: staff('operator'),
  suspendUser: staff('admin', { what: 'person', at: 'params.id' }),
  reactivateUser: staff('admin', { what: 'person', at: 'params.id' }),
  listAudit: staff('admin'),

  listJobs: staff('operator'),
  getJob: job,
  retryJob: job,
  skipJob: job,
  snoozeJob: job,
  closeJob: job,
  mendJobs: staff('operator'),
};

/** The row of an operation; one that has none is nobody's to ask. */
export function ruleOf(operationId: string): Rule {
  const rule = Object.hasOwn(policy, operationId) ? policy[operationId as keyof Operations] : undefined;
  if (!rule) throw new Error(`The operation ${operationId} has no row in domain/access/policy.ts: say who may ask it.`);
  return rule;
}

const inConversation = (right?: Right, message?: Omit<NonNullable<MemberRule['message']>, 'at'>): MemberRule => ({
  ...{ who: 'member', of: 'input.conversationId' },
  ...(right ? { right } : {}),
  ...(message ? { message: { at: 'input.messageId', ...message } } : {}),
});

/** The same for what a socket may ask by an event of its own. A socket is a person's from its handshake on. */
export const eventPolicy: { readonly [Name in ClientEventName]: SignedInRule | 'as its operation' } = {
  'message.send': inConversation('write'),
  'message.edit': inConversation('editOwn', { alive: true, by: 'author' }),
  'message.delete': inConversation(undefined, { rights: { author: 'deleteOwn', others: 'deleteAny' } }),
  'reaction.set': inConversation('react', { alive: true }),
  'receipt.update': inConversation(),
  'typing.set': inConversation('write'),
  'presence.set': { who: 'member', of: 'input.viewing' },
  sync: person,
  'events.after': inConversation(),
  'session.renew': own('token', 'input.token'),
  request: 'as its operation',
};
