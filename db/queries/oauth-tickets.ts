import type { SessionId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export type TicketPurpose = 'transaction' | 'begin_link' | 'sign_in' | 'link';

export interface TicketRow {
  tokenHash: Buffer;
  purpose: TicketPurpose;
  userId: UserId | null;
  challenge: Buffer | null;
  about: unknown;
  /** In which session a link was begun; null for a sign-in. */
  begunBy: SessionId | null;
  expiresAt: Date;
}

/** Expired ones that each new one takes along: more go than come, so that they need no round of their own. */
const sweptAtOnce = 10;

/** False where it is there already. */
export async function insertTicket(
  db: Queryable,
  row: TicketRow,
  { at, used = false }: { at: Date; used?: boolean },
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'insert-oauth-ticket',
    text: `
      with swept as (
        delete from oauth_tickets where token_hash in (
          select token_hash from oauth_tickets where expires_at <= $8 order by expires_at limit ${sweptAtOnce}
          for update skip locked
        )
      )
      insert into oauth_tickets (token_hash, purpose, user_id, challenge, about, begun_by, expires_at, used_at)
      values ($1, $2, $3, $4, $5, $6, $7, case when $9 then $8::timestamptz end)
      on conflict (token_hash) do nothing`,
    values: [
      ...[row.tokenHash, row.purpose, row.userId, row.challenge, JSON.stringify(row.about), row.begunBy],
      ...[row.expiresAt, at, used],
    ],
  });
  return rowCount === 1;
}

/** Uses one up. Of two who show the same one at the same moment one gets it. */
export async function useTicket(
  db: Queryable,
  { tokenHash, purpose }: Pick<TicketRow, 'tokenHash' | 'purpose'>,
  at: Date,
): Promise<TicketRow | undefined> {
  const { rows } = await db.query<TicketRow>({
    name: 'use-oauth-ticket',
    text: `update oauth_tickets set used_at = $3
      where token_hash = $1 and purpose = $2 and used_at is null and expires_at > $3
      returning token_hash as "tokenHash", purpose, user_id as "userId", challenge, about, begun_by as "begunBy",
        expires_at as "expiresAt"`,
    values: [tokenHash, purpose, at],
  });
  return rows[0];
}

/** Whose it is, if it is anybody's. */
export async function ownerOfTicket(db: Queryable, tokenHash: Buffer): Promise<UserId | undefined> {
  const { rows } = await db.query<{ userId: UserId | null }>({
    name: 'owner-of-oauth-ticket',
    text: 'select user_id as "userId" from oauth_tickets where token_hash = $1',
    values: [tokenHash],
  });
  return rows[0]?.userId ?? undefined;
}

/** Nothing that was begun goes on: whoever began it may be another. */
export async function deleteTickets(tx: Tx, userId: UserId): Promise<void> {
  await tx.query({
    name: 'delete-oauth-tickets',
    text: 'delete from oauth_tickets where user_id = $1',
    values: [userId],
  });
}
