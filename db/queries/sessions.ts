import type { SessionId, UserId } from '../../contracts/ids.ts';
import type { Db, Queryable, Tx } from '../client.ts';

export interface SessionRow {
  userId: UserId;
  id: SessionId;
  deviceName: string | null;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
  /** Where it was used last, as a hash; null where that is not known. */
  network: Buffer | null;
  /** Whether its person proved a second factor when they signed in. */
  secondFactor: boolean;
}

const columns = `user_id as "userId", id, device_name as "deviceName", created_at as "createdAt",
  last_used_at as "lastUsedAt", expires_at as "expiresAt", network, second_factor as "secondFactor"`;

/**
 * Ends sessions of `$1` and, in the same statement, takes the push tokens of the devices that they registered: a phone
 * that was signed out must not go on showing what is written to its former owner.
 */
const silencing = (ending: string) => `
  with ended as (${ending}), silenced as (
    update devices set push_token = null, push_token_hash = null, push_token_at = null
    where user_id = $1 and session_id in (select id from ended) and push_token is not null
  ) select id from ended`;

/** Opens a session, which begins with a proof. Over `keep` open ones, the least recently used are ended; their ids come back. */
export async function insertSession(tx: Tx, session: SessionRow, keep: number): Promise<SessionId[]> {
  await tx.query({
    name: 'insert-session',
    text: `insert into sessions (user_id, id, device_name, created_at, last_used_at, expires_at, network, second_factor, proved_at, proved_by_factor)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $4, $8)`,
    values: [
      ...[session.userId, session.id, session.deviceName, session.createdAt, session.lastUsedAt],
      ...[session.expiresAt, session.network, session.secondFactor],
    ],
  });
  const { rows } = await tx.query<{ id: SessionId }>({
    name: 'end-surplus-sessions',
    text: silencing(`update sessions set revoked_at = now(), revoke_reason = 'surplus'
      where user_id = $1 and id in (
        select id from sessions where user_id = $1 and revoked_at is null and expires_at > now()
        order by last_used_at desc, id desc offset $2
      ) returning id`),
    values: [session.userId, keep],
  });
  return rows.map(({ id }) => id);
}

/**
 * Whether the person has had a session of that name in that network before, or none at all. What is from before networks
 * were noted counts by its name alone: else everybody would be told of their own devices.
 */
export async function isKnownPlace(
  tx: Tx,
  { userId, id, deviceName, network }: Pick<SessionRow, 'userId' | 'id' | 'deviceName' | 'network'>,
): Promise<boolean> {
  const { rows } = await tx.query<{ known: boolean }>({
    name: 'is-known-place',
    text: `
      select count(*) = 0 or bool_or(device_name is not distinct from $3 and (network is null or $4::bytea is null or network = $4)) as known
      from sessions where user_id = $1 and id <> $2`,
    values: [userId, id, deviceName, network],
  });
  return rows[0]?.known === true;
}

export async function openSessions(db: Queryable, userId: UserId): Promise<SessionRow[]> {
  const { rows } = await db.query<SessionRow>({
    name: 'open-sessions',
    text: `select ${columns} from sessions where user_id = $1 and revoked_at is null and expires_at > now()
      order by last_used_at desc, id desc`,
    values: [userId],
  });
  return rows;
}

/** Ends sessions of a person: the one, or all but the one, or all (but null). Answers with the ids that were open until now. */
export async function revokeSessions(
  db: Queryable,
  userId: UserId,
  which: { only: SessionId } | { allBut: SessionId | null },
  reason: string,
): Promise<SessionId[]> {
  const only = 'only' in which;
  const { rows } = await db.query<{ id: SessionId }>({
    name: only ? 'revoke-session' : 'revoke-other-sessions',
    text: silencing(`update sessions set revoked_at = now(), revoke_reason = $3
      where user_id = $1 and id ${only ? '=' : 'is distinct from'} $2 and revoked_at is null and expires_at > now() returning id`),
    values: [userId, only ? which.only : which.allBut, reason],
  });
  return rows.map(({ id }) => id);
}

/**
 * Sessions and tokens revoked in the last `seconds`, as a whole window: a cursor could pass over one that committed late.
 * Those of a person who is suspended, and the tokens of their bots, count as ended for as long as that lasts, whoever
 * changed the row; there are few such people.
 */
export async function sessionsRevokedWithin(
  db: Queryable,
  seconds: number,
): Promise<{ id: SessionId; userId: UserId }[]> {
  const { rows } = await db.query<{ id: SessionId; userId: UserId }>({
    name: 'sessions-revoked-within',
    text: `
      select id, user_id as "userId" from sessions where revoked_at > now() - $1 * interval '1 second'
      union all
      select s.id, s.user_id from users u join sessions s on s.user_id = u.id
      where u.status <> 'active' and s.revoked_at is null and s.expires_at > now()
      union all
      select id, user_id from access_tokens where revoked_at > now() - $1 * interval '1 second'
      union all
      select t.id, t.user_id from users u join access_tokens t on t.user_id = u.id
      where u.status <> 'active' and t.revoked_at is null and t.expires_at > now()
      union all
      select t.id, t.user_id from users o join users u on u.owner_id = o.id join access_tokens t on t.user_id = u.id
      where o.status <> 'active' and t.revoked_at is null and t.expires_at > now()`,
    values: [seconds],
  });
  return rows;
}

export interface RefreshTokenRow {
  tokenHash: Buffer;
  userId: UserId;
  sessionId: SessionId;
  parentHash: Buffer | null;
  expiresAt: Date;
  usedAt: Date | null;
}

export async function insertRefreshToken(
  tx: Tx,
  token: Omit<RefreshTokenRow, 'usedAt'> & { createdAt: Date },
): Promise<void> {
  await tx.query({
    name: 'insert-refresh-token',
    text: `insert into refresh_tokens (token_hash, user_id, session_id, parent_hash, created_at, expires_at)
      values ($1, $2, $3, $4, $5, $6)`,
    values: [token.tokenHash, token.userId, token.sessionId, token.parentHash, token.createdAt, token.expiresAt],
  });
}

/**
 * Marks a token as used, if it was not and its session is open. One conditional statement: of two requests with the same
 * token one wins, the other waits for it and gets nothing. Read-then-write here forks families.
 */
export async function useRefreshToken(tx: Tx, tokenHash: Buffer, at: Date): Promise<RefreshTokenRow | undefined> {
  const { rows } = await tx.query<RefreshTokenRow>({
    name: 'use-refresh-token',
    text: `
      update refresh_tokens t set used_at = $2
      from sessions s join users u on u.id = s.user_id and u.status = 'active'
      where t.token_hash = $1 and t.used_at is null and t.expires_at > $2
        and s.user_id = t.user_id and s.id = t.session_id and s.revoked_at is null and s.expires_at > $2
      returning t.token_hash as "tokenHash", t.user_id as "userId", t.session_id as "sessionId",
        t.parent_hash as "parentHash", t.expires_at as "expiresAt", t.used_at as "usedAt"`,
    values: [tokenHash, at],
  });
  return rows[0];
}

export interface RefreshTokenState extends RefreshTokenRow {
  sessionOpen: boolean;
  sessionExpiresAt: Date;
  /** Its successor, if it was rotated, and whether that one was used. */
  successorHash: Buffer | null;
  successorUsed: boolean;
}

export async function refreshTokenState(
  db: Queryable,
  tokenHash: Buffer,
  at: Date,
): Promise<RefreshTokenState | undefined> {
  const { rows } = await db.query<RefreshTokenState>({
    name: 'refresh-token-state',
    text: `
      select t.token_hash as "tokenHash", t.user_id as "userId", t.session_id as "sessionId",
        t.parent_hash as "parentHash", t.expires_at as "expiresAt", t.used_at as "usedAt",
        s.revoked_at is null and s.expires_at > $2 and u.status = 'active' as "sessionOpen", s.expires_at as "sessionExpiresAt",
        n.token_hash as "successorHash", n.used_at is not null as "successorUsed"
      from refresh_tokens t
      join sessions s on s.user_id = t.user_id and s.id = t.session_id
      join users u on u.id = t.user_id
      left join refresh_tokens n on n.user_id = t.user_id and n.session_id = t.session_id and n.parent_hash = t.token_hash
      where t.token_hash = $1`,
    values: [tokenHash, at],
  });
  return rows[0];
}

/** The session was used now; answers with when it ends for good. */
export async function touchSession(
  db: Queryable,
  { userId, id, at, network }: Pick<SessionRow, 'userId' | 'id' | 'network'> & { at: Date },
): Promise<Date | undefined> {
  const { rows } = await db.query<{ expiresAt: Date }>({
    name: 'touch-session',
    text: `update sessions set last_used_at = greatest(last_used_at, $3), network = coalesce($4, network)
      where user_id = $1 and id = $2
      returning expires_at as "expiresAt"`,
    values: [userId, id, at, network],
  });
  return rows[0]?.expiresAt;
}

/** Whether the session is open right now, and its person not suspended: asked when a socket connects. */
export async function isSessionOpen(db: Db | Queryable, userId: UserId, id: SessionId): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'is-session-open',
    text: `select 1 from sessions s join users u on u.id = s.user_id and u.status = 'active'
      where s.user_id = $1 and s.id = $2 and s.revoked_at is null and s.expires_at > now()`,
    values: [userId, id],
  });
  return rowCount === 1;
}

/** By a factor, where they have one now: whatever was proved before they had it was proved by what somebody else may know. */
const provedWell = `(proved_by_factor or not (exists (select from totp where user_id = $1 and confirmed_at is not null)
  or exists (select from passkeys where user_id = $1)))`;

/** Whether the session's person has proved who they are since then. */
export async function isProvedSince(db: Queryable, userId: UserId, id: SessionId, since: Date): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'is-proved-since',
    text: `select 1 from sessions where user_id = $1 and id = $2 and proved_at > $3 and ${provedWell}`,
    values: [userId, id, since],
  });
  return rowCount === 1;
}

/**
 * A session that is open, and whether what its person has proved in it counts still, however long ago that was. Both stay so
 * until the transaction ends: whoever ends the session or voids what was proved in it waits, or came first.
 */
export async function holdSession(tx: Tx, userId: UserId, id: SessionId): Promise<{ proved: boolean } | undefined> {
  const { rows } = await tx.query<{ proved: boolean }>({
    name: 'hold-session',
    text: `select proved_at is not null and ${provedWell} as proved from sessions
      where user_id = $1 and id = $2 and revoked_at is null and expires_at > now() for share`,
    values: [userId, id],
  });
  return rows[0];
}

/**
 * Takes one try of a session to prove who its person is: so many from the first on, and anew once that one is older than
 * `windowMs`. Counted before it is judged. Who has signed in elsewhere has tries of their own.
 */
export async function takeProofTry(
  db: Queryable,
  userId: UserId,
  id: SessionId,
  { at, maxTries, windowMs }: { at: Date; maxTries: number; windowMs: number },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'take-proof-try',
    text: `
      update sessions set proof_tries = case when proof_tries_since > $5 then proof_tries + 1 else 1 end,
        proof_tries_since = case when proof_tries_since > $5 then proof_tries_since else $3 end
      where user_id = $1 and id = $2 and (proof_tries_since is null or proof_tries_since <= $5 or proof_tries < $4)`,
    values: [userId, id, at, maxTries, new Date(at.getTime() - windowMs)],
  });
  return rowCount === 1;
}

/** The session's person has proved who they are; false where it has ended. */
export async function markProved(
  tx: Tx,
  userId: UserId,
  id: SessionId,
  { at, secondFactor }: { at: Date; secondFactor: boolean },
): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'mark-proved',
    text: `update sessions set proved_at = $3, proved_by_factor = $4, second_factor = second_factor or $4, proof_tries = 0, proof_tries_since = null
      where user_id = $1 and id = $2 and revoked_at is null`,
    values: [userId, id, at, secondFactor],
  });
  return rowCount === 1;
}

/** A factor was switched on in this session, which stays proved for as long as it was: whoever did it has the factor. */
export async function markProvedByFactor(tx: Tx, userId: UserId, id: SessionId): Promise<void> {
  await tx.query({
    name: 'mark-proved-by-factor',
    text: 'update sessions set proved_by_factor = true where user_id = $1 and id = $2',
    values: [userId, id],
  });
}

/** What was proved in all sessions but this one counts for nothing any more. */
export async function voidOtherProofs(tx: Tx, userId: UserId, but: SessionId): Promise<void> {
  await tx.query({
    name: 'void-other-proofs',
    text: 'update sessions set proved_at = null where user_id = $1 and id <> $2 and revoked_at is null and proved_at is not null',
    values: [userId, but],
  });
}
