import { randomUUIDv7 } from 'node:crypto';
import type pg from 'pg';
import { createKeySet } from '../../platform/key-set.ts';
import { createTokens } from '../../platform/tokens.ts';
import type { SessionId, UserId } from '../../contracts/ids.ts';

/** Somebody who can be reached by every channel, in a group with one person who writes. */
export interface Recipient {
  id: string;
  conversationId: string;
  senderId: string;
  pushToken: string;
  email: string;
  phone: string;
  token: string;
}

let phones = 100_000_000;

/** People by the thousand: through the front door each would cost a hashed password. */
export async function seedRecipients(db: pg.Client, count: number, env: NodeJS.ProcessEnv): Promise<Recipient[]> {
  const configured = JSON.parse(env.HOMING_JWT_KEYS ?? '') as never;
  const tokens = createTokens({
    keys: createKeySet({ configured }),
    issuer: env.HOMING_PUBLIC_URL ?? '',
    audience: 'homing',
  });
  const made = Array.from({ length: count }, () => {
    const [id, sessionId] = [randomUUIDv7() as UserId, randomUUIDv7() as SessionId];
    return {
      ...{ id, sessionId, conversationId: randomUUIDv7(), senderId: randomUUIDv7(), pushToken: `ok-${id}` },
      ...{ email: `${id}@example.test`, phone: `+4915${String((phones += 1))}` },
      token: tokens.sign({ userId: id, sessionId }).token,
    };
  });
  const column = (name: keyof (typeof made)[number]) => made.map((one) => one[name]);
  await db.query(
    `insert into users (id, display_name, email, email_verified_at, phone, phone_verified_at, password_hash, locale, time_zone, created_at)
      select id, 'Bob', email, now(), phone, now(), '', 'en', 'UTC', now() from unnest($1::uuid[], $2::text[], $3::text[]) as p(id, email, phone)`,
    [column('id'), column('email'), column('phone')],
  );
  await db.query(
    `insert into users (id, display_name, email, password_hash, locale, time_zone, created_at)
      select id, 'Ana', id || '@example.test', '', 'en', 'UTC', now() from unnest($1::uuid[]) as p(id)`,
    [column('senderId')],
  );
  await db.query(
    `insert into conversations (id, kind, title, created_by, created_at, version, last_seq, last_active_at, member_count)
      select id, 'group', 'Ops', sender, now(), 1, 0, now(), 2 from unnest($1::uuid[], $2::uuid[]) as c(id, sender)`,
    [column('conversationId'), column('senderId')],
  );
  for (const person of ['id', 'senderId'] as const)
    await db.query(
      `insert into members (conversation_id, user_id, role, joined_at, joined_seq)
        select conversation, person, 'member', now(), 0 from unnest($1::uuid[], $2::uuid[]) as m(conversation, person)`,
      [column('conversationId'), column(person)],
    );
  await db.query(
    `insert into devices (user_id, id, platform, push_token, push_token_at, last_seen_at)
      select person, gen_random_uuid(), 'android', token, now(), now() from unnest($1::uuid[], $2::text[]) as d(person, token)`,
    [column('id'), column('pushToken')],
  );
  await db.query(
    `insert into notification_settings (user_id, settings) select person, $2::jsonb from unnest($1::uuid[]) as n(person)`,
    [column('id'), JSON.stringify({ channels: { push: true, email: true, sms: true } })],
  );
  await db.query(
    `insert into sessions (user_id, id, created_at, last_used_at, expires_at)
      select person, session, now(), now(), now() + interval '1 day' from unnest($1::uuid[], $2::uuid[]) as s(person, session)`,
    [column('id'), column('sessionId')],
  );
  return made;
}

/** As many, all in the group of the first, whose sender calls them all. */
export async function crowdInOne(db: pg.Client, count: number, env: NodeJS.ProcessEnv): Promise<Recipient[]> {
  const people = await seedRecipients(db, count, env);
  const [first] = people;
  if (!first) return [];
  const others = people.slice(1);
  await db.query(`update members set conversation_id = $1 where user_id = any($2::uuid[])`, [
    first.conversationId,
    others.map(({ id }) => id),
  ]);
  await db.query('update conversations set member_count = $2 where id = $1', [first.conversationId, count + 1]);
  return people;
}
