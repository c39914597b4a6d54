import type { Conversation } from '../../contracts/entities/index.ts';
import type { TestApp } from '../setup/app.ts';

/** Lets a conversation grow by people who are in the table alone, to so many members in all. */
export async function growTo(
  app: Pick<TestApp, 'database'>,
  { id, memberCount }: Pick<Conversation, 'id' | 'memberCount'>,
  members: number,
): Promise<void> {
  await app.database.run(`
    with people as (
      insert into users (id, display_name, email, password_hash, locale, time_zone, created_at)
      select gen_random_uuid(), 'One of many', gen_random_uuid() || '@example.test', '', 'en', 'UTC', now()
      from generate_series(1, ${members - memberCount}) returning id
    )
    insert into members (conversation_id, user_id, role, joined_at, joined_seq) select '${id}', id, 'member', now(), 0 from people`);
  await app.database.run(`update conversations set member_count = ${members} where id = '${id}'`);
}
