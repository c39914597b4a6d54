import { randomBytes, timingSafeEqual } from 'node:crypto';
import { DisplayName, EmailAddress, Locale, type SecondFactorNeeded } from '../../contracts/entities/index.ts';
import type { SessionId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { SignedIn } from '../../contracts/rest/auth.ts';
import type { CodeExchange } from '../../contracts/rest/identities.ts';
import type { Queryable, Tx } from '../../db/client.ts';
import { isUniqueViolation } from '../../db/errors.ts';
import { insertIdentity, useIdentity } from '../../db/queries/identities.ts';
import {
  type TicketPurpose,
  type TicketRow,
  insertTicket,
  ownerOfTicket,
  useTicket,
} from '../../db/queries/oauth-tickets.ts';
import { insertUser, isProvedEmail, setVerifiedContact } from '../../db/queries/users.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { DomainError, faultyField } from '../errors.ts';
import { auditTaken } from './contacts.ts';
import { holdEntrant } from './enter.ts';
import { admit } from './second-factor.ts';
import { hashToken } from './sessions.ts';

/** What a provider says of who came back from it, once it is believed. The pair of issuer and subject says who it is. */
export interface ProvedIdentity {
  provider: string;
  issuer: string;
  subject: string;
  email: string | null;
  /** The provider vouches for it, and this deployment takes its word. */
  emailVerified: boolean;
  displayName: string | null;
  locale: string | null;
}

/** What somebody set out for. */
export interface Beginning {
  /** Who links it to their account; null for who signs in. */
  userId: UserId | null;
  /** In which session. */
  begunBy: SessionId | null;
  returnTo: string;
  challenge: string | null;
}

/** Bytes of randomness in a code and in a ticket (256 bits). */
const codeBytes = 32;

type TicketDeps = Pick<Deps, 'now'> & { db: Queryable };

interface Ticket {
  userId: UserId;
  challenge: string | null;
  about?: unknown;
  seconds: number;
}

/** Hands out what is shown once, later. */
export async function giveTicket(
  { db, now }: TicketDeps,
  purpose: TicketPurpose,
  { challenge, seconds, ...of }: Pick<TicketRow, 'begunBy'> & Ticket,
): Promise<{ token: string; expiresAt: Date }> {
  const at = now();
  const token = randomBytes(codeBytes).toString('base64url');
  const expiresAt = new Date(at.getTime() + seconds * 1_000);
  const row = { about: {}, ...of, challenge: challenge === null ? null : Buffer.from(challenge, 'base64url') };
  await insertTicket(db, { ...row, tokenHash: hashToken(token), purpose, expiresAt }, { at });
  return { token, expiresAt };
}

/**
 * Takes what was handed out, once. A challenge is answered with its verifier; a verifier without a challenge is refused,
 * too: somebody has taken the challenge away on the way (RFC 9700 §4.8).
 */
export async function takeTicket(
  { db, now }: TicketDeps,
  purpose: TicketPurpose,
  { code, verifier }: { code: string; verifier?: string | undefined },
): Promise<TicketRow & { userId: UserId }> {
  const ticket = await useTicket(db, { tokenHash: hashToken(code), purpose }, now());
  if (!ticket?.userId || !answers(verifier, ticket.challenge)) throw signInOver();
  return { ...ticket, userId: ticket.userId };
}

const answers = (verifier: string | undefined, challenge: Buffer | null): boolean =>
  verifier === undefined || challenge === null
    ? verifier === undefined && challenge === null
    : timingSafeEqual(hashToken(verifier), challenge);

export const signInOver = () => new DomainError('sign_in_expired');

/** Where a browser may be sent back to: one of those that were named, to the letter, or the first. */
export function returnAddress({ returnAddresses }: Pick<Deps, 'returnAddresses'>, given: string | undefined): string {
  const found = given === undefined ? returnAddresses[0] : returnAddresses.find((each) => each === given);
  if (found !== undefined) return found;
  throw faultyField('returnTo', 'not_allowed', 'is not one of the addresses in HOMING_OAUTH_RETURNS; give one of them');
}

/** What somebody sets out for who goes to a provider: to sign in, or by a ticket of `beginIdentity` to link. */
export async function setOut(
  deps: Pick<Deps, 'db' | 'now' | 'returnAddresses'>,
  provider: string,
  {
    ticket,
    returnTo,
    challenge = null,
  }: { ticket?: string | undefined; returnTo?: string | undefined; challenge?: string | null | undefined },
): Promise<Beginning> {
  if (ticket === undefined) return { userId: null, begunBy: null, returnTo: returnAddress(deps, returnTo), challenge };
  const begun = await useTicket(deps.db, { tokenHash: hashToken(ticket), purpose: 'begin_link' }, deps.now());
  const about = begun?.about as { provider: string; returnTo: string } | undefined;
  if (!begun || about?.provider !== provider) throw signInOver();
  const { userId, begunBy } = begun;
  return { userId, begunBy, returnTo: about.returnTo, challenge: begun.challenge?.toString('base64url') ?? null };
}

/** What was begun at a provider ends once: whoever has kept the browser's cookie does not end it again. */
export async function endTransaction(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  { id, expiresAt }: { id: string; expiresAt: Date },
): Promise<void> {
  const at = now();
  const row = {
    tokenHash: hashToken(id),
    purpose: 'transaction',
    userId: null,
    challenge: null,
    begunBy: null,
    about: {},
  } as const;
  if (expiresAt <= at || !(await insertTicket(db, { ...row, expiresAt }, { at, used: true }))) throw signInOver();
}

type ArriveDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>;

/** Somebody came back from a provider. Answers with the code that their app goes on with. */
export async function comeBack(deps: ArriveDeps, proved: ProvedIdentity, begun: Beginning): Promise<string> {
  const { userId, begunBy, challenge } = begun;
  const seconds = limits.oauthCodeSeconds;
  if (userId) {
    const ticket = await giveTicket(deps, 'link', { userId, begunBy, challenge, seconds, about: proved });
    return ticket.token;
  }
  return whileUnknown(() =>
    commit(deps, async (tx) => {
      const known = await useIdentity(tx, proved, deps.now());
      const { userId: whose, former } = known ? { userId: known, former: [] } : await makeFrom(tx, deps, proved);
      const ticket = { userId: whose, begunBy: null, challenge, seconds };
      const { token } = await giveTicket({ ...deps, db: tx }, 'sign_in', ticket);
      await auditTaken(tx, deps, { userId: whose }, former);
      return { value: token };
    }),
  );
}

/**
 * Of two who come back for the first time at once one makes the account. The other finds it by looking once more, whether
 * the identity or its address stood in the way: the address may have been proved by that very account a moment ago.
 */
async function whileUnknown<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error, 'identities_subject') && !isOfSomebody(error)) throw error;
  }
  try {
    return await work();
  } catch (error) {
    throw isOfSomebody(error) ? new DomainError('link_required', { cause: error }) : error;
  }
}

/** Somebody here has proved the address. */
const isOfSomebody = (error: unknown): boolean =>
  isUniqueViolation(error, 'users_email_key') || (error instanceof DomainError && error.code === 'link_required');

/**
 * An account for whom we have not seen. One that has proved the same address is never taken for theirs: whoever has an
 * address at a provider need not be who proved it here. Accounts that only named it lose it, as by any proof: else who had
 * made one in that name would wait in it.
 */
async function makeFrom(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  proved: ProvedIdentity,
): Promise<{ userId: UserId; former: UserId[] }> {
  const email = proved.emailVerified ? proved.email : null;
  if (email && (await isProvedEmail(tx, email))) throw new DomainError('link_required');
  const [id, at] = [deps.newId() as UserId, deps.now()];
  const named = { displayName: nameOf(proved), locale: localeOf(proved), timeZone: 'UTC' };
  await insertUser(tx, { id, ...named, email: null, phone: null, passwordHash: null, createdAt: at });
  await insertIdentity(tx, { ...proved, userId: id, createdAt: at, lastUsedAt: at });
  const taken = email && (await setVerifiedContact(tx, id, { channel: 'email', target: email, at }));
  return { userId: id, former: taken ? taken.former : [] };
}

/** What a provider calls somebody, where it may stand here. No part of an address does: everybody sees a name. */
const nameOf = ({ displayName }: ProvedIdentity): string =>
  DisplayName.safeParse((displayName ?? '').slice(0, limits.displayNameLength)).data ?? 'New member';

const localeOf = ({ locale }: ProvedIdentity): string => Locale.safeParse(locale).data ?? 'en';

/** An address as we keep it; null for what is none. */
export const addressOf = (given: unknown): string | null => EmailAddress.safeParse(given).data ?? null;

/** Signs in whoever shows the code that a sign-in elsewhere ended in. */
export function exchangeCode(
  deps: ArriveDeps & Pick<Deps, 'tokens' | 'mac' | 'publicUrl'>,
  { deviceName, ...shown }: CodeExchange,
  address?: string,
): Promise<SignedIn | SecondFactorNeeded> {
  return commit(deps, async (tx) => {
    const owner = await ownerOfTicket(tx, hashToken(shown.code));
    if (!owner) throw signInOver();
    // Whoever takes the identity away, or the account over, has ended the code or waits.
    await holdEntrant(tx, owner);
    const { userId } = await takeTicket({ ...deps, db: tx }, 'sign_in', shown);
    return admit(tx, deps, userId, { deviceName, address });
  });
}
