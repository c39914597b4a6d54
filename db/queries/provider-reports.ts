import type { UserId } from '../../contracts/ids.ts';
import type { Db, Queryable, Tx } from '../client.ts';
import type { SuppressedChannel, Target } from './suppressions.ts';

export type ReportSource = 'sendgrid' | 'twilio';

/** A report as it is kept. */
export interface ReportRow {
  source: ReportSource;
  key: string;
  channel: SuppressedChannel;
  fact: string;
  /** What it says of the address or number; null where it says nothing. */
  says: string | null;
  code: string | null;
  attemptId: string | null;
  target: Buffer | null;
  at: Date;
}

/** `address` finds whose it is now, and is not kept. */
export type NewReport = ReportRow & { address: string | null };

/** Keeps reports in one statement; a repeat is passed over. Answers with how many were new. */
export async function insertReports(db: Db, reports: readonly NewReport[]): Promise<number> {
  if (reports.length === 0) return 0;
  const column = <Key extends keyof NewReport>(key: Key) => reports.map((report) => report[key]);
  const { rowCount } = await db.write({
    name: 'insert-provider-reports',
    text: `
      insert into provider_reports (source, key, channel, fact, says, code, attempt_id, target, owner_id, at)
      select r.source, r.key, r.channel, r.fact, r.says, r.code, r.attempt_id, r.target,
        case r.channel
          when 'email' then (select u.id from users u where u.email = r.address order by u.email_verified_at, u.id limit 1)
          else (select u.id from users u where u.phone = r.address order by u.phone_verified_at, u.id limit 1) end, r.at
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::bytea[],
        $9::text[], $10::timestamptz[])
        as r(source, key, channel, fact, says, code, attempt_id, target, address, at)
      on conflict (source, key) do nothing`,
    values: [
      column('source'),
      column('key'),
      column('channel'),
      column('fact'),
      column('says'),
      column('code'),
      column('attemptId'),
      column('target'),
      column('address'),
      column('at'),
    ],
  });
  return rowCount ?? 0;
}

export async function insertUnreadableReports(
  db: Db,
  source: ReportSource,
  pathAndQuery: string,
  unreadable: readonly { reason: string; body: Buffer }[],
): Promise<void> {
  if (unreadable.length === 0) return;
  await db.write({
    name: 'insert-unreadable-reports',
    text: `insert into unreadable_reports (source, path_and_query, reason, body)
      select $1, $2, * from unnest($3::text[], $4::bytea[])`,
    values: [source, pathAndQuery, unreadable.map(({ reason }) => reason), unreadable.map(({ body }) => body)],
  });
}

/** What was signed and not understood. Its body holds addresses and numbers. */
export interface UnreadableReport {
  id: number;
  source: ReportSource;
  reason: string;
  body: Buffer;
  pathAndQuery: string;
  receivedAt: Date;
}

/** The earliest first, after an id (exclusive). */
export async function unreadableReportsAfter(
  db: Queryable,
  { after, limit }: { after: number; limit: number },
): Promise<UnreadableReport[]> {
  const { rows } = await db.query<UnreadableReport>({
    name: 'unreadable-reports-after',
    text: `select id, source, reason, body, path_and_query as "pathAndQuery", received_at as "receivedAt"
      from unreadable_reports where id > $1 order by id limit $2`,
    values: [after, limit],
  });
  return rows;
}

export async function deleteUnreadableReport(db: Db, id: number): Promise<void> {
  await db.write({
    name: 'delete-unreadable-report',
    text: 'delete from unreadable_reports where id = $1',
    values: [id],
  });
}

export interface ClaimedReport extends ReportRow {
  receivedAt: Date;
  id: number;
  tries: number;
  ownerId: UserId | null;
}

/** Claims the next report that is due for the length of the transaction; what another relay holds is passed over. */
export async function claimReport(tx: Tx): Promise<ClaimedReport | undefined> {
  const { rows } = await tx.query<ClaimedReport>({
    name: 'claim-provider-report',
    text: `
      select id, source, key, channel, fact, says, code, attempt_id as "attemptId", target, owner_id as "ownerId", at, tries,
        received_at as "receivedAt"
      from provider_reports where applied_at is null and due_at <= now()
      order by due_at, id limit 1 for update skip locked`,
    values: [],
  });
  return rows[0];
}

export async function markReportApplied(tx: Tx, { source, key }: Pick<ReportRow, 'source' | 'key'>): Promise<void> {
  await tx.query({
    name: 'mark-provider-report-applied',
    text: 'update provider_reports set applied_at = now() where source = $1 and key = $2',
    values: [source, key],
  });
}

/** Puts a report off after a failed try. */
export async function postponeReport(
  db: Db,
  { source, key }: Pick<ReportRow, 'source' | 'key'>,
  delayMs: number,
): Promise<void> {
  await db.write({
    name: 'postpone-provider-report',
    text: `update provider_reports set tries = tries + 1, due_at = now() + $3 * interval '1 millisecond'
      where source = $1 and key = $2`,
    values: [source, key, delayMs],
  });
}

/** Soft failures of a target since `after` and since something last reached it, and when the latest was. */
export async function softFailuresOf(
  db: Queryable,
  { channel, hash }: Target,
  after: Date,
): Promise<{ count: number; latest: Date | null }> {
  const { rows } = await db.query<{ count: number; latest: Date | null }>({
    name: 'soft-failures-of-target',
    text: `
      select count(*) as count, max(at) as latest from provider_reports
      where channel = $1 and target = $2 and says = 'soft' and at > $3 and at > coalesce((select max(at)
        from provider_reports where channel = $1 and target = $2 and fact = 'delivered'), '-infinity')`,
    values: [channel, hash, after],
  });
  return rows[0] ?? { count: 0, latest: null };
}

/** Whether the person's latest word by text was to hear no more; undefined where they have said neither. */
export async function latestOptOut(db: Queryable, { channel, hash }: Target): Promise<boolean | undefined> {
  const { rows } = await db.query<{ optedOut: boolean }>({
    name: 'latest-opt-out-of-target',
    text: `select fact = 'opted_out' as "optedOut" from provider_reports
      where channel = $1 and target = $2 and fact in ('opted_out', 'opted_in') order by id desc limit 1`,
    values: [channel, hash],
  });
  return rows[0]?.optedOut;
}

/** Forgets what came so long ago that no provider tells it again. What was not seen to stays. */
export async function forgetReports(db: Db, olderThanMs: number, limit: number): Promise<void> {
  await db.write({
    name: 'forget-provider-reports',
    text: `
      with old as (
        select source, key from provider_reports
        where received_at < now() - $1 * interval '1 millisecond' and applied_at is not null order by received_at limit $2
      ), unreadable as (
        delete from unreadable_reports where id in (select id from unreadable_reports
          where received_at < now() - $1 * interval '1 millisecond' order by received_at limit $2)
      )
      delete from provider_reports r using old o where r.source = o.source and r.key = o.key`,
    values: [olderThanMs, limit],
  });
}

/** The age of the oldest report that nobody has seen to, and how many there are that were not understood. */
export async function reportsBacklog(db: Queryable): Promise<{ oldestSeconds: number; unreadable: number }> {
  const { rows } = await db.query<{ oldestSeconds: number; unreadable: number }>({
    name: 'reports-backlog',
    text: `select coalesce(extract(epoch from now() - min(received_at)), 0)::float8 as "oldestSeconds",
        (select count(*) from unreadable_reports) as unreadable
      from provider_reports where applied_at is null`,
    values: [],
  });
  return rows[0] ?? { oldestSeconds: 0, unreadable: 0 };
}
