import type { UserRole } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { MePatch } from '../../contracts/rest/me.ts';
import type { Queryable, Tx } from '../client.ts';

/** A bot alone is ended; nothing brings it back. */
export type UserStatus = 'active' | 'suspended' | 'ended';

export interface UserRow {
  id: UserId;
  displayName: string;
  email: string | null;
  emailVerifiedAt: Date | null;
  phone: string | null;
  phoneVerifiedAt: Date | null;
  /** Null for who signs in otherwise and has never set one. */
  passwordHash: string | null;
  locale: string;
  timeZone: string;
  status: UserStatus;
  kind: 'person' | 'bot';
  role: UserRole;
  tellRead: boolean;
  tellLastSeen: 'everyone' | 'contacts' | 'nobody';
  lastSeenAt: Date | null;
  createdAt: Date;
}

const columns = `id, display_name as "displayName", email, email_verified_at as "emailVerifiedAt", phone,
  phone_verified_at as "phoneVerifiedAt", password_hash as "passwordHash", locale, time_zone as "timeZone", status, kind, role,
  tell_read as "tellRead", tell_last_seen as "tellLastSeen", last_seen_at as "lastSeenAt", created_at as "createdAt"`;

/** What somebody brings along; the rest the table gives. */
export type NewUserRow = Omit<
  UserRow,
  'emailVerifiedAt' | 'phoneVerifiedAt' | 'status' | 'kind' | 'role' | 'tellRead' | 'tellLastSeen' | 'lastSeenAt'
>;

/** Stores a person. What they name as theirs is theirs once they have proved it: others may name the same. */
export async function insertUser(tx: Tx, user: NewUserRow): Promise<void> {
  await tx.query({
    name: 'insert-user',
    text: `insert into users (id, display_name, email, phone, password_hash, locale, time_zone, created_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    values: [
      user.id,
      user.displayName,
      user.email,
      user.phone,
      user.passwordHash,
      user.locale,
      user.timeZone,
      user.createdAt,
    ],
  });
}

/** With what is nobody else's: of a person's own statements they themselves alone are found. */
export async function userById(db: Queryable, id: UserId): Promise<UserRow | undefined> {
  const { rows } = await db.query<UserRow>({
    name: 'user-by-id',
    text: `select ${columns} from accounts where id = $1`,
    values: [id],
  });
  return rows[0];
}

/** What anybody may know of a person, by which they are told apart from nobody. */
export type PublicUserRow = Pick<UserRow, 'id' | 'displayName' | 'status' | 'kind' | 'createdAt'>;

export async function publicUserById(db: Queryable, id: UserId): Promise<PublicUserRow | undefined> {
  const { rows } = await db.query<PublicUserRow>({
    name: 'public-user-by-id',
    text: 'select id, display_name as "displayName", status, kind, created_at as "createdAt" from users where id = $1',
    values: [id],
  });
  return rows[0];
}

/**
 * Who may be meant by an e-mail address (lower case) or phone number (E.164): whoever has proved it alone; where nobody
 * has, accounts that name it, the oldest first, a few at most.
 */
export async function usersByIdentifier(db: Queryable, identifier: string, most: number): Promise<UserRow[]> {
  const { rows } = await db.query<UserRow & { proved: boolean }>({
    name: 'users-by-identifier',
    text: `
      select ${columns}, proved from (
        select *, email_verified_at is not null as proved from accounts where email = $1
        union all
        select *, phone_verified_at is not null as proved from accounts where phone = $1
      ) u order by proved desc, created_at, id limit $2`,
    values: [identifier, most],
  });
  return rows.filter(({ proved }) => proved === rows[0]?.proved).map(({ proved: _, ...row }) => row);
}

/** Who may come in, held until the transaction is over: nothing that ends all that is theirs gets between. */
export async function holdUser(tx: Tx, id: UserId): Promise<UserRow | undefined> {
  const { rows } = await tx.query<UserRow>({
    name: 'hold-user',
    text: `select ${columns} from accounts where id = $1 and status = 'active' for no key update`,
    values: [id],
  });
  return rows[0];
}

/** Which of these ids are people that can be talked to. */
export async function activeUsers(
  db: Queryable,
  ids: readonly UserId[],
): Promise<{ id: UserId; displayName: string; tellRead: boolean }[]> {
  const { rows } = await db.query<{ id: UserId; displayName: string; tellRead: boolean }>({
    name: 'active-users',
    text: `select id, display_name as "displayName", tell_read as "tellRead" from users
      where id = any($1::uuid[]) and status = 'active'`,
    values: [ids],
  });
  return rows;
}

export async function updateUser(db: Queryable, id: UserId, patch: MePatch): Promise<UserRow | undefined> {
  const { rows } = await db.query<UserRow>({
    name: 'update-user',
    text: `update accounts set display_name = coalesce($2, display_name), locale = coalesce($3, locale),
      time_zone = coalesce($4, time_zone), tell_read = coalesce($5, tell_read), tell_last_seen = coalesce($6, tell_last_seen)
      where id = $1 returning ${columns}`,
    values: [
      id,
      patch.displayName ?? null,
      patch.locale ?? null,
      patch.timeZone ?? null,
      patch.privacy?.tellRead ?? null,
      patch.privacy?.tellLastSeen ?? null,
    ],
  });
  return rows[0];
}

/** Answers with the role before; undefined where there is no such person. A bot has none: nobody could take it back from who holds its tokens. */
export async function updateUserRole(tx: Tx, id: UserId, role: UserRole): Promise<UserRole | undefined> {
  const { rows } = await tx.query<{ role: UserRole }>({
    name: 'update-user-role',
    text: `update users u set role = $2
      from (select id, role from users where id = $1 and kind = 'person' for update) former
      where u.id = former.id returning former.role`,
    values: [id, role],
  });
  return rows[0]?.role;
}

/**
 * Changes whether somebody may come in, unless they were ended. Answers with what they were; undefined where there is no such
 * person. Waits for sign-ins that have begun.
 */
export async function updateUserStatus(tx: Tx, id: UserId, status: UserStatus): Promise<UserStatus | undefined> {
  const { rows } = await tx.query<{ status: UserStatus }>({
    name: 'lock-user',
    text: 'select status from users where id = $1 for update',
    values: [id],
  });
  await tx.query({
    name: 'update-user-status',
    text: `update users set status = $2, status_at = now() where id = $1 and status not in ($2, 'ended')`,
    values: [id, status],
  });
  return rows[0]?.status;
}

/**
 * The admins who may come in. They stay so until the transaction is over: of two who take each other out one waits, by one
 * lock for all of them. Locked row by row, admins who suspend one another in a crowd wait for each other in a circle.
 */
export async function holdAdmins(tx: Tx): Promise<UserId[]> {
  await tx.query({ name: 'lock-admins', text: 'select pg_advisory_xact_lock(2, 4)', values: [] });
  const { rows } = await tx.query<{ id: UserId }>({
    name: 'active-admins',
    text: `select id from users where role = 'admin' and status = 'active'`,
    values: [],
  });
  return rows.map(({ id }) => id);
}

/** In place of that one only: who began before it became another one must not bring it back. */
export async function replacePasswordHash(
  db: Queryable,
  id: UserId,
  former: string | null,
  next: string,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'replace-password-hash',
    text: 'update accounts set password_hash = $3 where id = $1 and password_hash is not distinct from $2',
    values: [id, former, next],
  });
  return rowCount === 1;
}

/** Whether this is the password still; it stays so until the transaction ends. */
export async function holdPassword(tx: Tx, id: UserId, passwordHash: string): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'hold-password',
    text: `select from accounts where id = $1 and password_hash = $2 and status = 'active' for share`,
    values: [id, passwordHash],
  });
  return rowCount === 1;
}

/** Whether they may come in; it stays so until the transaction ends. */
export async function holdActive(tx: Tx, id: UserId): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'hold-active',
    text: `select from users where id = $1 and status = 'active' for share`,
    values: [id],
  });
  return rowCount === 1;
}

/** Whether somebody may come in, or was ended; it stays so until the transaction ends. */
export async function holdStatus(tx: Tx, id: UserId): Promise<UserStatus | undefined> {
  const { rows } = await tx.query<{ status: UserStatus }>({
    name: 'hold-status',
    text: 'select status from users where id = $1 for share',
    values: [id],
  });
  return rows[0]?.status;
}

/** Whether somebody has proved this address. */
export async function isProvedEmail(db: Queryable, email: string): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'is-proved-email',
    text: 'select from accounts where email = $1 and email_verified_at is not null',
    values: [email],
  });
  return rowCount === 1;
}

/** Takes from a person what they named as theirs and never proved. */
export async function dropUnprovedContacts(tx: Tx, id: UserId): Promise<void> {
  await tx.query({
    name: 'drop-unproved-contacts',
    text: `update accounts set email = case when email_verified_at is not null then email end,
      phone = case when phone_verified_at is not null then phone end where id = $1`,
    values: [id],
  });
}

/**
 * The contact becomes the person's, and verified; whoever named it without proof loses it (`former`). Throws a unique violation of
 * `users_email_key` or `users_phone_key` where somebody else has proved it before.
 */
export async function setVerifiedContact(
  tx: Tx,
  id: UserId,
  { channel, target, at }: { channel: 'email' | 'sms'; target: string; at: Date },
): Promise<{ user: UserRow; former: UserId[] } | undefined> {
  const [value, verifiedAt] = channel === 'email' ? ['email', 'email_verified_at'] : ['phone', 'phone_verified_at'];
  const { rows } = await tx.query<UserRow & { former: UserId[] }>({
    name: `set-verified-${value}`,
    text: `
      with losing as (update accounts set ${value} = null where ${value} = $2 and id <> $1 and ${verifiedAt} is null returning id)
      update accounts set ${value} = $2, ${verifiedAt} = $3 where id = $1
      returning ${columns}, array(select id from losing) as former`,
    values: [id, target, at],
  });
  if (!rows[0]) return undefined;
  const { former, ...user } = rows[0];
  return { user, former };
}
