import type { Queryable } from '../client.ts';

export type SuppressedChannel = 'email' | 'sms';
export type SuppressionCause = 'unsubscribed' | 'complaint' | 'hard_bounce' | 'soft_bounces' | 'opted_out' | 'invalid';

export interface SuppressionRow {
  channel: SuppressedChannel;
  cause: SuppressionCause;
  createdAt: Date;
  expiresAt: Date | null;
}

/** A channel with the hash of an address or number. */
export interface Target {
  channel: SuppressedChannel;
  hash: Buffer;
}

/** What holds now for these targets, the oldest first. */
export async function suppressionsOf(db: Queryable, targets: readonly Target[], at: Date): Promise<SuppressionRow[]> {
  const { rows } = await db.query<SuppressionRow>({
    name: 'suppressions-of',
    text: `
      select s.channel, s.cause, s.created_at as "createdAt", s.expires_at as "expiresAt"
      from unnest($1::text[], $2::bytea[]) as t(channel, target)
      join suppressions s on s.channel = t.channel and s.target = t.target
      where s.expires_at is null or s.expires_at > $3 order by s.created_at`,
    values: [targets.map(({ channel }) => channel), targets.map(({ hash }) => hash), at],
  });
  return rows;
}

/** Suppresses a target. What holds already holds for the longer of the two times. */
export async function suppress(
  db: Queryable,
  { channel, hash }: Target,
  { cause, expiresAt = null }: { cause: SuppressionCause; expiresAt?: Date | null },
): Promise<void> {
  await db.query({
    name: 'suppress',
    text: `
      insert into suppressions as s (channel, target, cause, expires_at) values ($1, $2, $3, $4)
      on conflict (channel, target, cause) do update set
        expires_at = case when s.expires_at is null or excluded.expires_at is null then null
          else greatest(s.expires_at, excluded.expires_at) end`,
    values: [channel, hash, cause, expiresAt],
  });
}

export async function liftSuppressions(
  db: Queryable,
  { channel, hash }: Target,
  causes: readonly SuppressionCause[],
): Promise<void> {
  await db.query({
    name: 'lift-suppressions',
    text: 'delete from suppressions where channel = $1 and target = $2 and cause = any($3::text[])',
    values: [channel, hash, causes],
  });
}
