import pg from 'pg';
import type { Personal, Stored, StoredChange, StoredMember, StoredMessage } from './record.ts';

/** What the database holds of these conversations, read in one snapshot of it, with statements of our own. */
export async function readStored(
  url: string,
  conversations: readonly string[],
): Promise<Omit<Stored, 'kind' | 'at' | 'who' | 'rest'>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read, read only');
    const all = [];
    for (const id of conversations) all.push(await readOne(client, id));
    return all;
  } finally {
    await client.end();
  }
}

async function readOne(client: pg.Client, conversation: string) {
  const rows = async <Row extends pg.QueryResultRow>(text: string) =>
    (await client.query<Row>(text, [conversation])).rows.map(numbered);
  const [head] = await rows<{ version: number; lastSeq: number; title: string | null }>(headSql);
  if (!head) throw new Error(`there is no conversation ${conversation}`);
  return {
    conversation,
    ...head,
    messages: await rows<StoredMessage>(messagesSql),
    changes: await rows<StoredChange>(changesSql),
    members: await rows<StoredMember>(membersSql),
    reactions: await rows<{ seq: number; emoji: string; userId: string }>(reactionsSql),
    threads: await rows<Stored['threads'][number]>(threadsSql),
    followers: await rows<Stored['followers'][number]>(followersSql),
    owed: await rows<Stored['owed'][number]>(owedSql),
  };
}

/** Who belongs to each of these conversations, and what it is to them. */
export async function readMembers(
  url: string,
  conversations: readonly string[],
): Promise<ReadonlyMap<string, StoredMember[]>> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const all = new Map<string, StoredMember[]>();
    for (const id of conversations)
      all.set(id, (await client.query<StoredMember>(membersSql, [id])).rows.map(numbered));
    return all;
  } finally {
    await client.end();
  }
}

/** What these people have for themselves. */
export async function readPersonal(
  url: string,
  people: readonly string[],
): Promise<Pick<Personal, 'person' | 'blocked' | 'drafts'>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<Pick<Personal, 'person' | 'blocked' | 'drafts'>>(personalSql, [people]);
    return rows;
  } finally {
    await client.end();
  }
}

/** bigint comes as text. */
const numeric = new Set([
  'version',
  'seq',
  'lastSeq',
  'changedVersion',
  'revisions',
  'messageSeq',
  'joinedSeq',
  'leftVersion',
  'deliveredSeq',
  'readSeq',
  'cameSeq',
  'target',
  'unreadMark',
  'threadSeq',
  'rootSeq',
  'seqFrom',
  'seqTo',
]);
const numbered = <Row extends pg.QueryResultRow>(row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, numeric.has(name) && value !== null ? Number(value) : value]),
  ) as Row;

const headSql = 'select version, last_seq as "lastSeq", title from conversations where id = $1';

const messagesSql = `
  select m.seq, m.version, m.changed_version as "changedVersion", m.id, m.client_id as "clientId", m.sender_id as "senderId",
    m.kind, m.text, m.deleted_at is not null as deleted, m.system->>'type' as system,
    case when m.system->>'type' = 'members.added'
      then array(select e->>'userId' from jsonb_array_elements(m.system->'members') e) else '{}' end as joined,
    case when m.system->>'type' = 'members.removed'
      then array(select jsonb_array_elements_text(m.system->'userIds')) else '{}' end as "left",
    case when m.system->>'type' in ('members.added', 'members.changed') then m.system->'members' else '[]' end as roles,
    m.pinned_at is not null as pinned, m.thread_id as "threadId", m.thread_seq as "threadSeq",
    array(select e->>'userId' from jsonb_array_elements(m.mentions) e) as mentions, m.forwarded_from->>'messageId' as forwarded,
    case when m.system->>'type' in ('message.pinned', 'message.unpinned') then (m.system->>'seq')::bigint end as target,
    (select count(*) from message_edits e where e.conversation_id = m.conversation_id and e.seq = m.seq and e.nth > 0) as revisions
  from messages m where m.conversation_id = $1 order by m.seq`;

const changesSql = `
  select version, seq, type, actor_id as actor, message_seq as "messageSeq", data->>'emoji' as emoji,
    case when type in ('conversation.created', 'members.added')
      then array(select e->>'userId' from jsonb_array_elements(data->'members') e) else '{}' end as joined,
    case when type = 'members.removed' then array(select jsonb_array_elements_text(data->'userIds')) else '{}' end as "left",
    case when type in ('conversation.created', 'members.added', 'members.changed') then data->'members' else '[]' end as roles
  from events where conversation_id = $1 order by version`;

// What counts as unread is said once more here, and not asked of the product.
const membersSql = `
  select m.user_id as "userId", m.role, m.joined_seq as "joinedSeq", m.left_at is null as present,
    m.left_version as "leftVersion", m.delivered_seq as "deliveredSeq", m.read_seq as "readSeq", m.came_seq as "cameSeq",
    m.unread_mark as "unreadMark", m.level, m.pinned, m.archived,
    to_char(m.muted_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "mutedUntil",
    count(g.seq)::int as unread, count(g.seq) filter (where exists (
      select from jsonb_array_elements(g.mentions) e where e->>'userId' = m.user_id::text))::int as mentions
  from members m left join messages g on g.conversation_id = m.conversation_id and g.seq > m.read_seq and g.seq > m.joined_seq
    and g.kind = 'text' and g.deleted_at is null and g.thread_id is null and g.sender_id <> m.user_id
    and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = g.sender_id)
  where m.conversation_id = $1 group by m.conversation_id, m.user_id order by m.user_id`;

const reactionsSql =
  'select seq, emoji, user_id as "userId" from reactions where conversation_id = $1 order by seq, emoji, user_id';

const threadsSql = `
  select root_seq as "rootSeq", reply_count as "replyCount", last_seq as "lastSeq" from threads
  where conversation_id = $1 order by root_seq`;

const followersSql = `
  select root_seq as "rootSeq", user_id as "userId", coalesce(following, false) as following, read_seq as "readSeq" from thread_members
  where conversation_id = $1 order by root_seq, user_id`;

const personalSql = `
  select p.id as person, array(select blocked_id::text from blocks where user_id = p.id order by 1) as blocked,
    array(select conversation_id || ' ' || text from drafts where user_id = p.id order by 1) as drafts
  from unnest($1::uuid[]) as p(id)`;

const owedSql = `
  select seq_from as "seqFrom", seq_to as "seqTo" from (
    select topic, conversation_id, seq_from, seq_to from outbox
    union all select topic, conversation_id, seq_from, seq_to from outbox_done) o
  where topic = 'messages.stored' and conversation_id = $1 order by seq_from`;

/** Keeps what the relay has worked off, so that it can be told whether each message was owed once. */
export async function keepWorkedOff(ownerUrl: string): Promise<void> {
  const client = new pg.Client(ownerUrl);
  await client.connect();
  try {
    await client.query(`
      create table outbox_done (topic text, conversation_id uuid, seq_from bigint, seq_to bigint);
      create index on outbox_done (conversation_id);
      grant select on outbox_done to public;
      create function keep_worked_off() returns trigger language plpgsql security definer as $$ begin
        insert into outbox_done values (old.topic, old.conversation_id, old.seq_from, old.seq_to);
        return old;
      end $$;
      create trigger keep_worked_off before delete on outbox for each row execute function keep_worked_off()`);
  } finally {
    await client.end();
  }
}

/** Messages that the relay has not seen to yet: it moves the watermarks of who wrote them. */
export async function toWorkOff(url: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ n: string }>(
      `select count(*) as n from outbox where topic = 'messages.stored'`,
    );
    return Number(rows[0]?.n);
  } finally {
    await client.end();
  }
}
