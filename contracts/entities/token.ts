import { z } from 'zod';
import { TokenId, UserId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Instant, line } from './common.ts';
import { DisplayName } from './user.ts';

/** What a token may be good for. Its person's own rights go before: a scope gives nobody what they have not. */
export const scopes = {
  'messages:read': 'Messages, threads, drafts and what is unread; sync, and a socket',
  'messages:write': 'Sends, edits, deletes, forwards, reacts, pins, keeps drafts',
  'conversations:read': 'Conversations, members, invitations and bans',
  'conversations:write': 'Makes, changes, joins, leaves and ends conversations; members, invitations and bans',
  'receipts:write': 'Says what was delivered and read, which is what ends notifications',
  'profile:read': 'Who I am, who others are, whom I have blocked',
  'profile:write': 'My name, language, zone and privacy, and whom I block',
  'notifications:read': 'How I am notified, on which devices, and why I was',
  'notifications:write': 'How I am notified, in general, of a conversation and of a thread',
  'admin:read': 'What people with a role of the organisation may look at',
  'admin:write': 'What they may do',
} as const;
export type Scope = keyof typeof scopes;
export const scopeNames = Object.keys(scopes) as [Scope, ...Scope[]];
export const Scope = z.enum(scopeNames).meta({ id: 'Scope' });

const daySeconds = 86_400;

/** A token that is to be made. */
export const NewToken = z
  .strictObject({
    name: line(limits.tokenNameLength).meta({ description: 'What it is for', examples: ['Deploy bot'] }),
    scopes: z
      .array(Scope)
      .min(1)
      .max(scopeNames.length)
      .refine((given) => new Set(given).size === given.length, { message: 'must name each scope once' }),
    expiresInSeconds: z
      .int()
      .min(60)
      .max(limits.tokenSeconds)
      .default(limits.tokenSecondsByDefault)
      .meta({ description: `Ninety days (${90 * daySeconds}) when nothing is said` }),
  })
  .meta({ id: 'NewToken' });
export type NewToken = z.infer<typeof NewToken>;

/** A token as its owner sees it. The token itself was shown once, when it was made. */
export const AccessToken = z
  .strictObject({
    id: TokenId,
    name: z.string(),
    scopes: z.array(Scope),
    createdAt: Instant,
    lastUsedAt: Instant.nullable().meta({ description: 'The hour in which it was used last; null: never' }),
    expiresAt: Instant,
  })
  .meta({ id: 'AccessToken' });
export type AccessToken = z.infer<typeof AccessToken>;

/** What is answered once, to who made it. */
export const TokenMade = z
  .strictObject({
    token: z.string().meta({ description: 'Shown this once; stored by us only as a hash' }),
    accessToken: AccessToken,
  })
  .meta({ id: 'TokenMade' });
export type TokenMade = z.infer<typeof TokenMade>;

/** A user that is a program. Somebody answers for it. */
export const Bot = z
  .strictObject({
    id: UserId,
    displayName: z.string(),
    ownerId: UserId,
    createdAt: Instant,
    status: z.enum(['active', 'suspended']).meta({ description: 'An admin suspends and reactivates one' }),
  })
  .meta({ id: 'Bot' });
export type Bot = z.infer<typeof Bot>;

/** A bot that is to be made, with its first token. */
export const NewBot = z.strictObject({ displayName: DisplayName, token: NewToken }).meta({ id: 'NewBot' });
export type NewBot = z.infer<typeof NewBot>;
