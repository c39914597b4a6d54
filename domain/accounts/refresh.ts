import type { Session } from '../../contracts/entities/index.ts';
import type { Tx } from '../../db/client.ts';
import {
  type RefreshTokenRow,
  type RefreshTokenState,
  refreshTokenState,
  revokeSessions,
  touchSession,
  useRefreshToken,
} from '../../db/queries/sessions.ts';
import { audit, bySystem } from '../audit/index.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { networkOf } from './network.ts';
import { hashToken, storeRefreshToken, tellEnded, toSession } from './sessions.ts';

/** Milliseconds in which a client whose answer was lost may show the same token again and get the same successor. */
const lostAnswerMs = 5 * 60_000;

type Outcome = { session: Session } | { refused: DomainError; reused?: RefreshTokenState };

/**
 * Trades a refresh token for its successor. Rotation is one conditional update: of two requests at once one wins, the
 * other gets the very same successor, derived from the token by a key of ours, so that nothing need be kept to repeat it
 * (OAuth 2.0 Security BCP, RFC 9700 §4.14; the lost answer: FAPI 2.0). A token that was used before in any other way is
 * a theft until proved otherwise: this session ends, and no other.
 */
export async function refresh(
  deps: Pick<Deps, 'db' | 'now' | 'newId' | 'tokens' | 'mac' | 'publishLive' | 'log'>,
  refreshToken: string,
  address?: string,
): Promise<Session> {
  const outcome = await commit(deps, async (tx): Promise<{ value: Outcome }> => {
    const at = deps.now();
    const used = await useRefreshToken(tx, hashToken(refreshToken), at);
    const shown = { token: refreshToken, at, address };
    return { value: used ? await rotate(tx, deps, used, shown) : await judge(tx, deps, refreshToken, at) };
  });
  if ('session' in outcome) return outcome.session;
  if (outcome.reused) await endFamily(deps, outcome.reused);
  throw outcome.refused;
}

/** The session that a refresh token is of, whatever has become of it: whose limit it is to be used too often. */
export async function sessionOfRefreshToken(
  deps: Pick<Deps, 'db' | 'now'>,
  refreshToken: string,
): Promise<string | undefined> {
  return (await refreshTokenState(deps.db, hashToken(refreshToken), deps.now()))?.sessionId;
}

const successorOf = (deps: Pick<Deps, 'mac'>, token: string) => deps.mac('refresh-token', token).toString('base64url');

async function rotate(
  tx: Tx,
  deps: Pick<Deps, 'tokens' | 'mac'>,
  used: RefreshTokenRow,
  { token, at, address }: { token: string; at: Date; address: string | undefined },
): Promise<Outcome> {
  const { userId, sessionId } = used;
  const network = networkOf(deps, userId, address);
  const sessionExpiresAt = (await touchSession(tx, { userId, id: sessionId, at, network })) ?? at;
  const next = successorOf(deps, token);
  await storeRefreshToken(tx, {
    userId,
    sessionId,
    refreshToken: next,
    parentHash: used.tokenHash,
    at,
    sessionExpiresAt,
  });
  return { session: toSession(deps, { userId, sessionId }, next) };
}

/** The token was not usable: unknown, run out, of an ended session, or used before. */
async function judge(tx: Tx, deps: Pick<Deps, 'tokens' | 'mac'>, presented: string, at: Date): Promise<Outcome> {
  const state = await refreshTokenState(tx, hashToken(presented), at);
  if (!state)
    return { refused: new DomainError('invalid_credentials', { detail: 'This refresh token is not known.' }) };
  if (!state.sessionOpen || state.expiresAt <= at) return { refused: new DomainError('session_revoked') };
  const answerWasLost =
    state.usedAt !== null &&
    state.successorHash !== null &&
    !state.successorUsed &&
    at.getTime() - state.usedAt.getTime() <= lostAnswerMs;
  if (answerWasLost) {
    const { userId, sessionId } = state;
    const successor = successorOf(deps, presented);
    // Derived from another key than it was stored under, the successor would open nothing.
    if (!state.successorHash?.equals(hashToken(successor))) return { refused: new DomainError('session_revoked') };
    return { session: toSession(deps, { userId, sessionId }, successor) };
  }
  return { refused: new DomainError('refresh_reused'), reused: state };
}

async function endFamily(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive' | 'log'>,
  { userId, sessionId }: RefreshTokenState,
): Promise<void> {
  const ended = await commit(deps, async (tx) => {
    const ids = await revokeSessions(tx, userId, { only: sessionId }, 'refresh_reused');
    if (ids.length > 0) await audit(tx, deps, bySystem, { action: 'refresh_reused', userId });
    return { value: ids };
  });
  deps.log.warn('a refresh token was used twice; its session was ended', { userId, sessionId });
  tellEnded(deps, userId, ended);
}
