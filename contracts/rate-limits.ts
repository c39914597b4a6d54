import type { ClientEventName } from './realtime/index.ts';
import type { Endpoint } from './rest/endpoint.ts';

/** Whose a budget is. Of an IPv6 address the first 56 bits count: a household gets as many addresses as it likes. */
export type LimitKey = 'person' | 'session' | 'address' | 'account-at-address' | 'conversation' | 'connection';

export interface RateLimit {
  readonly key: LimitKey;
  /** So many may be spent … */
  readonly points: number;
  /** … in so many seconds, which begin with the first that is spent. */
  readonly seconds: number;
  /** While Redis cannot be asked: `share`, every node admits its part of the points and no more; `open`, all. */
  readonly whenAway: 'share' | 'open';
}

/**
 * Every rate limit, with what an ordinary deployment allows; `HOMING_RATE_LIMITS` says otherwise. One budget for all doors
 * and nodes.
 */
export const rateLimits = {
  /** Of one account from one address: whoever guesses elsewhere keeps nobody from signing in at home. */
  login: { key: 'account-at-address', points: 5, seconds: 60, whenAway: 'share' },
  'login-hour': { key: 'account-at-address', points: 20, seconds: 3_600, whenAway: 'share' },
  /** Whatever somebody may ask who is not signed in, of all accounts together: an office may stand behind one address. */
  'sign-in': { key: 'address', points: 60, seconds: 60, whenAway: 'share' },
  /**
   * Calls without a token, or with one that is not taken. A budget of its own: when an office comes back to work, all its
   * apps ask once with a token that has run out, and its people must be able to sign in all the same.
   */
  'refused-tokens': { key: 'address', points: 600, seconds: 60, whenAway: 'share' },
  /** Answers to the challenge of a sign-in, beside the few that each challenge has. */
  'second-factor': { key: 'address', points: 30, seconds: 60, whenAway: 'share' },
  register: { key: 'address', points: 100, seconds: 3_600, whenAway: 'share' },
  refresh: { key: 'session', points: 10, seconds: 60, whenAway: 'share' },
  /** Proofs of who asks, and passwords to be changed: whoever guesses in a stolen session keeps nobody out of their others. */
  proofs: { key: 'session', points: 10, seconds: 600, whenAway: 'share' },
  /** The same in all sessions of one person, so that many of them are no way around. */
  'proofs-person': { key: 'person', points: 100, seconds: 600, whenAway: 'share' },
  /** Codes asked for or tried. */
  codes: { key: 'person', points: 10, seconds: 600, whenAway: 'share' },
  invites: { key: 'person', points: 20, seconds: 60, whenAway: 'share' },
  /** Ten messages a second, in bursts of twenty. */
  send: { key: 'person', points: 20, seconds: 2, whenAway: 'share' },
  'send-conversation': { key: 'conversation', points: 200, seconds: 2, whenAway: 'share' },
  search: { key: 'person', points: 30, seconds: 60, whenAway: 'open' },
  read: { key: 'person', points: 600, seconds: 10, whenAway: 'open' },
  write: { key: 'person', points: 300, seconds: 10, whenAway: 'share' },
  'connect-address': { key: 'address', points: 60, seconds: 60, whenAway: 'share' },
  connect: { key: 'person', points: 10, seconds: 60, whenAway: 'share' },
  /** Events of one socket, of whatever kind: counted where the socket is. */
  'socket-events': { key: 'connection', points: 50, seconds: 1, whenAway: 'share' },
} as const satisfies Record<string, RateLimit>;

export type LimiterName = keyof typeof rateLimits;
/** What something costs, and of which budget. */
export type Price = readonly [limiter: LimiterName, points: number];

const proof: readonly Price[] = [
  ['proofs', 1],
  ['proofs-person', 1],
];

/** What costs otherwise than one `read` or `write`. The budget of who asks comes first: who has none spends no other. */
const prices: Readonly<Record<string, readonly Price[]>> = {
  login: [
    ['sign-in', 1],
    ['login', 1],
    ['login-hour', 1],
  ],
  secondFactor: [
    ['sign-in', 1],
    ['second-factor', 1],
  ],
  register: [
    ['sign-in', 1],
    ['register', 1],
  ],
  refresh: [
    ['sign-in', 1],
    ['refresh', 1],
  ],
  changePassword: proof,
  stepUp: proof,
  confirmTotp: proof,
  beginIdentity: [['codes', 1]],
  addIdentity: [['codes', 1]],
  setEmail: [['codes', 1]],
  setPhone: [['codes', 1]],
  verifyEmail: [['codes', 1]],
  verifyPhone: [['codes', 1]],
  createInvite: [['invites', 1]],
  acceptInvite: [['invites', 1]],
  sendMessage: [
    ['send', 1],
    ['send-conversation', 1],
  ],
  forwardMessage: [['send', 1]],
  listChannels: [['search', 1]],
  sync: [['read', 5]],
  createConversation: [['write', 5]],
  addMembers: [['write', 5]],
  banMember: [['write', 5]],
};

/** What an operation costs. Whoever is not signed in pays by their address, but for what the server says of itself. */
export function pricesOf({ operationId, auth, method, tag }: Endpoint): readonly Price[] {
  const own = Object.hasOwn(prices, operationId) ? prices[operationId] : undefined;
  if (own) return own;
  if (auth === 'user') return method === 'get' ? [['read', 1]] : [['write', 1]];
  return tag === 'About the server' ? [] : [['sign-in', 1]];
}

/** The operation whose price a socket's event has; `request` names its own, and what is not here only counts as an event. */
export const operationOfEvent: Partial<Record<ClientEventName, string>> = {
  'message.send': 'sendMessage',
  'message.edit': 'editMessage',
  'message.delete': 'deleteMessage',
  'reaction.set': 'addReaction',
  'receipt.update': 'updateReceipts',
  sync: 'sync',
  'events.after': 'eventsAfter',
};

/** What a call costs that needs somebody to be signed in, and shows nobody who is. Good tokens from there cost none of it. */
export const refusedTokenPrices: readonly Price[] = [['refused-tokens', 1]];

/** Milliseconds of refusals one after the other, each within a second of the last, until a socket is closed. */
export const excessMs = 3_000;
export const excessGapMs = 1_000;
