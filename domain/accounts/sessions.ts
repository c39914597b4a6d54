import { createHash, randomBytes } from 'node:crypto';
import type { Session, SessionInfo } from '../../contracts/entities/index.ts';
import type { SessionId, UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { Tx } from '../../db/client.ts';
import {
  insertRefreshToken,
  insertSession,
  isKnownPlace,
  openSessions,
  revokeSessions,
} from '../../db/queries/sessions.ts';
import { holdProof } from '../access/index.ts';
import { audit } from '../audit/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { networkOf } from './network.ts';
import { noticeSignIn } from './sign-in-notice.ts';

/** Days that a session lives without being used, and at most. */
export const sessionDays = { sliding: 30, absolute: 180 };
const dayMs = 86_400_000;

/** Bytes of randomness in a refresh token (256 bits). */
const refreshTokenBytes = 32;

export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest();

/** From where somebody signs in: what their device calls itself, and its address. */
export interface Entrance {
  deviceName: string | null | undefined;
  address: string | undefined;
}

/** A session of a person who has just proved who they are, and the ids of older ones that gave way to it. */
export async function openSession(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId' | 'tokens' | 'mac'>,
  userId: UserId,
  { deviceName, address, secondFactor = false }: Entrance & { secondFactor?: boolean },
): Promise<{ session: Session; ended: SessionId[] }> {
  const at = deps.now();
  const id = deps.newId() as SessionId;
  const expiresAt = new Date(at.getTime() + sessionDays.absolute * dayMs);
  const network = networkOf(deps, userId, address);
  const row = {
    ...{ userId, id, deviceName: deviceName ?? null, createdAt: at, lastUsedAt: at, expiresAt },
    ...{ network, secondFactor },
  };
  const ended = await insertSession(tx, row, limits.sessionsPerUser);
  const refreshToken = randomBytes(refreshTokenBytes).toString('base64url');
  await storeRefreshToken(tx, {
    userId,
    sessionId: id,
    refreshToken,
    parentHash: null,
    at,
    sessionExpiresAt: expiresAt,
  });
  // Last, as entries of the audit are.
  if (!(await isKnownPlace(tx, row))) await noticeSignIn(tx, deps, { userId, sessionId: id });
  return { session: toSession(deps, { userId, sessionId: id }, refreshToken), ended };
}

export async function storeRefreshToken(
  tx: Tx,
  token: {
    userId: UserId;
    sessionId: SessionId;
    refreshToken: string;
    parentHash: Buffer | null;
    at: Date;
    sessionExpiresAt: Date;
  },
): Promise<void> {
  const { userId, sessionId, parentHash, at } = token;
  const sliding = at.getTime() + sessionDays.sliding * dayMs;
  const expiresAt = new Date(Math.min(sliding, token.sessionExpiresAt.getTime()));
  await insertRefreshToken(tx, {
    tokenHash: hashToken(token.refreshToken),
    userId,
    sessionId,
    parentHash,
    createdAt: at,
    expiresAt,
  });
}

export function toSession(deps: Pick<Deps, 'tokens'>, actor: Actor, refreshToken: string): Session {
  const { token, expiresAt } = deps.tokens.sign(actor);
  return { id: actor.sessionId, accessToken: token, accessTokenExpiresAt: expiresAt.toISOString(), refreshToken };
}

export async function listSessions(deps: Pick<Deps, 'db'>, actor: Actor): Promise<SessionInfo[]> {
  const rows = await openSessions(deps.db, actor.userId);
  const here = rows.find(({ id }) => id === actor.sessionId)?.network ?? null;
  return rows.map(({ id, deviceName, createdAt, lastUsedAt, expiresAt, network, secondFactor }) => ({
    id,
    current: id === actor.sessionId,
    deviceName,
    network: here && network ? (network.equals(here) ? 'same' : 'other') : null,
    secondFactor,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  }));
}

/** Ends one session. Its sockets are closed by the event; where that is lost, by every node's look at the table. */
export async function revokeSession(deps: EndDeps, actor: Actor, id: SessionId): Promise<void> {
  const ended = await end(deps, actor, { only: id });
  if (ended.length === 0) throw notFound();
}

export async function revokeOtherSessions(deps: EndDeps, actor: Actor): Promise<number> {
  return (await end(deps, actor, { allBut: actor.sessionId })).length;
}

type EndDeps = Pick<Deps, 'db' | 'newId' | 'publishLive'>;

/** Who was thrown out, and by whom, stands in the audit; that somebody leaves does not (`logout`). */
async function end(deps: EndDeps, actor: Actor, which: Parameters<typeof revokeSessions>[2]): Promise<SessionId[]> {
  const { userId } = actor;
  const action = 'only' in which ? 'end_session' : 'end_other_sessions';
  const ended = await commit(deps, async (tx) => {
    await holdProof(tx, actor);
    const sessionIds = await revokeSessions(tx, userId, which, 'revoked');
    if (sessionIds.length > 0) await audit(tx, deps, actor, { action, userId });
    return { value: sessionIds };
  });
  tellEnded(deps, userId, ended);
  return ended;
}

/** Ends the caller's own session. */
export async function logout(deps: Pick<Deps, 'db' | 'publishLive'>, actor: Actor): Promise<void> {
  tellEnded(deps, actor.userId, await revokeSessions(deps.db, actor.userId, { only: actor.sessionId }, 'logout'));
}

export function tellEnded(deps: Pick<Deps, 'publishLive'>, userId: UserId, sessionIds: SessionId[]): void {
  if (sessionIds.length > 0) deps.publishLive([{ type: 'session.ended', userId, sessionIds }]);
}
