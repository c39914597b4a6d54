import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';
import type { UserStatus } from './users.ts';

export interface BotRow {
  id: UserId;
  displayName: string;
  ownerId: UserId;
  createdAt: Date;
  status: UserStatus;
}

const columns = `id, display_name as "displayName", owner_id as "ownerId", created_at as "createdAt", status`;

/** Of no password there is a hash that any could be held against: nobody signs in as a bot. */
export async function insertBot(
  tx: Tx,
  bot: Omit<BotRow, 'status'> & { locale: string; timeZone: string },
): Promise<void> {
  await tx.query({
    name: 'insert-bot',
    text: `insert into users (id, display_name, kind, owner_id, password_hash, locale, time_zone, created_at)
      values ($1, $2, 'bot', $3, '', $4, $5, $6)`,
    values: [bot.id, bot.displayName, bot.ownerId, bot.locale, bot.timeZone, bot.createdAt],
  });
}

/** Those that have not ended, the latest made first. */
export async function botsOf(db: Queryable, ownerId: UserId): Promise<BotRow[]> {
  const { rows } = await db.query<BotRow>({
    name: 'bots-of',
    text: `select ${columns} from users where owner_id = $1 and status <> 'ended' order by created_at desc, id desc`,
    values: [ownerId],
  });
  return rows;
}

export async function botById(db: Queryable, id: UserId): Promise<BotRow | undefined> {
  const { rows } = await db.query<BotRow>({
    name: 'bot-by-id',
    text: `select ${columns} from users where id = $1 and kind = 'bot' and status <> 'ended'`,
    values: [id],
  });
  return rows[0];
}

/** Who answers for them; undefined for a person. */
export async function ownerOf(db: Queryable, id: UserId): Promise<UserId | undefined> {
  const { rows } = await db.query<{ ownerId: UserId | null }>({
    name: 'owner-of-bot',
    text: 'select owner_id as "ownerId" from users where id = $1',
    values: [id],
  });
  return rows[0]?.ownerId ?? undefined;
}

export async function renameBotRow(tx: Tx, id: UserId, displayName: string): Promise<BotRow | undefined> {
  const { rows } = await tx.query<BotRow>({
    name: 'rename-bot',
    text: `update users set display_name = $2 where id = $1 and kind = 'bot' and status <> 'ended' returning ${columns}`,
    values: [id, displayName],
  });
  return rows[0];
}
