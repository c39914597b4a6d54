import type { AuditEntry } from '../../contracts/entities/index.ts';
import type { MessageId, UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface AuditRow {
  id: string;
  at: Date;
  /** One of the two: a person, or the name of an operator at the command line. */
  actorId: UserId | null;
  operator: string | null;
  action: AuditEntry['action'];
  /** Of whom; null where it was about nobody. */
  userId: UserId | null;
  messageId: MessageId | null;
  jobId: string | null;
  /** What was changed, from what to what; null of what changes nothing of that kind. */
  was: string | null;
  became: string | null;
}

export async function insertAudit(tx: Tx, row: Omit<AuditRow, 'at'>): Promise<void> {
  await tx.query({
    name: 'insert-audit',
    text: `insert into audit (id, actor_id, operator, action, user_id, message_id, job_id, was, became)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    values: [
      ...[row.id, row.actorId, row.operator, row.action, row.userId, row.messageId, row.jobId],
      ...[row.was, row.became],
    ],
  });
}

/** An entry with its place in the chain. */
export interface ChainedRow extends Omit<AuditRow, 'at'> {
  seq: number;
  hash: Buffer;
  /** Microseconds since 1970, as they are hashed. */
  atMicros: number;
}

/** The chain in its order, behind a number. */
export async function auditChain(db: Queryable, after: number, limit: number): Promise<ChainedRow[]> {
  const { rows } = await db.query<ChainedRow>({
    name: 'audit-chain',
    text: `select seq, hash, id, (extract(epoch from at) * 1000000)::bigint as "atMicros", actor_id as "actorId", operator,
      action, user_id as "userId", message_id as "messageId", job_id as "jobId", was, became
      from audit where seq > $1 order by seq limit $2`,
    values: [after, limit],
  });
  return rows;
}

/** Where the audit ends, as it was written down with its last entry; undefined where somebody has taken that away. */
export async function auditEnd(db: Queryable): Promise<Pick<ChainedRow, 'seq' | 'hash'> | undefined> {
  const { rows } = await db.query<Pick<ChainedRow, 'seq' | 'hash'>>({
    name: 'audit-end',
    text: 'select seq, hash from audit_end',
    values: [],
  });
  return rows[0];
}

/** A page, the latest first, before an id (exclusive): ids are in the order of time. */
export async function auditPage(
  db: Queryable,
  { before, limit }: { before: string | undefined; limit: number },
): Promise<AuditRow[]> {
  const { rows } = await db.query<AuditRow>({
    name: 'audit-page',
    text: `select id, at, actor_id as "actorId", operator, action, user_id as "userId", message_id as "messageId",
      job_id as "jobId", was, became
      from audit where $1::uuid is null or id < $1 order by id desc limit $2`,
    values: [before ?? null, limit],
  });
  return rows;
}
