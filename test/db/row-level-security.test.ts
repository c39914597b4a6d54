import assert from 'node:assert/strict';
import { createHash, randomUUIDv7 } from 'node:crypto';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import { type Db, type Statement, openDb } from '../../db/client.ts';
import { openInvites } from '../../db/queries/invites.ts';
import { logAfter } from '../../db/queries/log.ts';
import { deliveryOf, membersOfAll, membersPage } from '../../db/queries/members.ts';
import { bansPage } from '../../db/queries/memberships.ts';
import { eraseMessage, reactionsPage, revisionsOf, setPin } from '../../db/queries/message-changes.ts';
import { messageById, messagesPage, newestMessages, pinnedMessages } from '../../db/queries/messages.ts';
import { threadOfMember, threadsPage } from '../../db/queries/threads.ts';
import { type ReadScope, judgedScope } from '../../db/read-scope.ts';
import { type TestDatabase, createDatabase } from '../setup/database.ts';
import { until } from '../support/until.ts';

/** Tables without policies, and what a person's statements may do there. Whoever adds a table decides. */
const open: Record<string, readonly string[]> = {
  // By a hash that tells nobody whose it is; it is taken away as everybody.
  suppressions: ['SELECT'],
  // Counted as everybody.
  allowances: [],
  // What the durable lane knows, and tables of numbers, keys and reports.
  ...{ late_looks: [], unreached: [], urgent_sends: [], watermarks: [] },
  ...{ differences: [], provider_reports: [], recount_walks: [], text_days: [], unreadable_reports: [] },
  ...{ audit_end: [], signing_keys: [] },
};

/** What no operation asks for in a person's name, of tables with policies; of some they may name columns. */
const withheld: Record<string, readonly string[]> = {
  accounts: ['UPDATE'],
  users: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  ...{ messages: ['UPDATE'], conversations: ['UPDATE'], invites: ['UPDATE'], conversation_keys: ['UPDATE', 'DELETE'] },
  ...{ password_resets: ['INSERT', 'UPDATE'], notices: ['SELECT', 'UPDATE', 'DELETE'] },
  ...{ outbox: ['SELECT', 'UPDATE', 'DELETE'], audit: ['SELECT'], armed: ['INSERT', 'UPDATE'] },
  ...{ attention: ['INSERT', 'DELETE'], screens: ['INSERT'], shown: ['INSERT', 'UPDATE', 'DELETE'] },
  here_calls: ['INSERT', 'DELETE'],
};

const [ana, bob, eve] = [randomUUIDv7(), randomUUIDv7(), randomUUIDv7()] as unknown as [UserId, UserId, UserId];
const conversationId = randomUUIDv7() as ConversationId;
const messageId = randomUUIDv7();

describe('row-level security', () => {
  let database: TestDatabase;
  let db: ReturnType<typeof openDb>;
  before(async () => {
    database = await createDatabase();
    await database.run(seed);
    db = openDb({ url: database.url, applicationName: 'rls', maxConnections: 1 });
  });
  after(async () => {
    await db.end();
    await database.drop();
  });

  const column = async (text: string): Promise<string[]> => {
    const { rows } = await database.run(text);
    return (rows as { name: string }[]).map(({ name }) => name);
  };
  const isProtected = `
    select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    and c.relname not like 'knex_%' and c.relrowsecurity and c.relforcerowsecurity`;

  it('stands on every table but those that are named here, by force', async () => {
    const all = await column(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname not like 'knex_%'`,
    );
    const named = Object.keys(open);
    const protectedTables = await column(isProtected);
    assert.deepEqual([...named, ...protectedTables].sort(), all.sort());
  });

  it('gives who acts as a person the rights of the application, and no way past it', async () => {
    const rightsOf = (role: string) =>
      column(`select table_name || ' ' || privilege_type as name from information_schema.role_table_grants
        where grantee = '${role}' and table_schema = 'public' order by 1`);
    const isGiven = (right: string): boolean => {
      const [table = '', what = ''] = right.split(' ');
      return open[table]?.includes(what) ?? !withheld[table]?.includes(what);
    };
    const those = (await rightsOf('homing_app')).filter(isGiven);
    assert.deepEqual(await rightsOf('homing_person'), those);
    const passing = await column(
      `select rolname as name from pg_roles where rolname like 'homing%' and (rolbypassrls or rolsuper)`,
    );
    assert.deepEqual(passing, []);
  });

  it('shows a stranger nothing of any table, whatever is asked for', async () => {
    for (const table of await column(`${isProtected} except values ('users')`)) {
      const count = { text: `select count(*)::int as n from ${table}`, values: [] };
      const all = await db.query<{ n: number }>(count);
      assert.notEqual(all.rows[0]?.n, 0, `${table} has nothing to show`);
      const hers = withheld[table]?.includes('SELECT')
        ? await db.as(eve).query(count).catch(refused)
        : await db.as(eve).query<{ n: number }>(count);
      assert.equal('rows' in hers ? hers.rows[0]?.n : hers.rowCount, 0, table);
    }
  });

  it('lets a stranger change and delete nothing', async () => {
    const keys: Record<string, string> = { blocks: 'at', bans: 'at' };
    for (const table of await column(isProtected)) {
      if (table === 'users') continue; // Below.
      const key = keys[table] ?? (await firstColumn(table));
      for (const text of [`update ${table} set ${key} = ${key}`, `delete from ${table}`]) {
        const { rowCount } = await db.as(eve).query({ text, values: [] }).catch(refused);
        assert.equal(rowCount, 0, text);
      }
    }
  });

  it('lets a stranger add nothing like what is another’s', async () => {
    for (const table of await column(isProtected)) {
      const { rows } = await database.run(`select to_jsonb(t) as row from ${table} t limit 1`);
      const copy = `insert into ${table} overriding system value select * from jsonb_populate_record(null::${table}, $1)`;
      const adding = db.as(eve).query({ text: copy, values: [JSON.stringify((rows[0] as { row: unknown }).row)] });
      await assert.rejects(adding, { code: '42501' }, table);
    }
  });

  /** What nobody may change is refused, and does not only find nothing. */
  const refused = ({ code }: { code?: string }) => {
    assert.equal(code, '42501');
    return { rowCount: 0 };
  };
  const firstColumn = async (table: string): Promise<string> =>
    (
      await column(`select attname as name from pg_attribute
        where attrelid = '${table}'::regclass and attnum > 0 and attidentity = '' order by attnum`)
    )[0] ?? '';

  const run = (by: UserId, text: string) => db.as(by).query<{ n: number }>({ text, values: [] });
  const mayNot = async (by: UserId, ...texts: string[]) => {
    for (const text of texts) await assert.rejects(run(by, text), { code: '42501' }, text);
  };
  /** Each is done, one after the other, and taken back. */
  const may = (by: UserId, ...texts: string[]) =>
    db
      .as(by)
      .transaction(async (tx) => {
        for (const text of texts) assert.notEqual((await tx.query({ text, values: [] })).rowCount, 0, text);
        throw new Error('as it was');
      })
      .catch((error: Error) => assert.equal(error.message, 'as it was'));
  const findsNothing = async (by: UserId, ...texts: string[]) => {
    for (const text of texts) assert.equal((await run(by, text)).rowCount, 0, text);
  };

  describe('of people', () => {
    const names = (from: Db, text: string) => from.query<{ name: string }>({ text, values: [] });
    const own = 'select display_name as name from accounts';

    it('shows everybody’s names, and addresses, numbers and hashes to nobody else', async () => {
      const { rows } = await names(db.as(eve), 'select display_name as name from users order by 1');
      assert.deepEqual(
        rows.map(({ name }) => name),
        ['ana', 'bob', 'eve'],
      );
      for (const secret of ['email', 'phone', 'password_hash', 'email_verified_at', 'phone_verified_at', '*'])
        await assert.rejects(names(db.as(eve), `select ${secret} from users`), { code: '42501' }, secret);
      await assert.rejects(names(db.as(eve), `select id from users where email like 'a%'`), { code: '42501' });
    });

    it('has one account by which they see all of their own, and who acts for everybody sees all', async () => {
      const { rows } = await db.as(eve).query({ text: 'select email from accounts', values: [] });
      assert.deepEqual(rows, [{ email: 'eve@example.test' }]);
      assert.equal((await names(db, own)).rowCount, 3);
      const columnsOf = (table: string) =>
        column(`select column_name as name from information_schema.columns where table_name = '${table}' order by 1`);
      assert.deepEqual(await columnsOf('accounts'), await columnsOf('users'));
    });

    it('lets nobody change or delete another, or become what others make them', async () => {
      for (const table of ['users', 'accounts']) {
        const { rowCount } = await db.as(eve).query({ text: `update ${table} set display_name = 'E'`, values: [] });
        assert.equal(rowCount, 1, table);
        for (const change of [`role = 'admin'`, `status = 'active'`, `owner_id = null`])
          await assert.rejects(names(db.as(eve), `update ${table} set ${change}`), { code: '42501' }, change);
      }
      await assert.rejects(names(db.as(eve), 'delete from users'), { code: '42501' });
      const add = (owner: string) =>
        names(
          db.as(eve),
          `insert into users (id, display_name, kind, owner_id, password_hash, locale, time_zone, created_at)
            values ('${randomUUIDv7()}', 'bot', 'bot', '${owner}', '', 'en', 'UTC', now())`,
        );
      await assert.rejects(add(ana), { code: '42501' });
      assert.equal((await add(eve)).rowCount, 1);
    });

    it('gives a bot no role and no password, and takes nobody’s word for what they have proved', async () => {
      const add = (columns: string, values: string, kind = 'bot') =>
        `insert into users (id, display_name, kind, owner_id, locale, time_zone, created_at, ${columns})
          values ('${randomUUIDv7()}', 'bot', '${kind}', '${eve}', 'en', 'UTC', now(), ${values})`;
      await mayNot(eve, add('password_hash, role', `'', 'admin'`), add('password_hash, status', `'', 'active'`));
      await mayNot(eve, add('password_hash', `'a hash'`), add('password_hash', `''`, 'person'));
      for (const change of [`email = 'ana@example.test'`, 'email_verified_at = now()', `phone = '1'`])
        await mayNot(eve, `update users set ${change}`, `update accounts set ${change}`);
      await may(eve, add('password_hash', `''`), `update accounts set password_hash = 'another' where id = '${eve}'`);
    });

    it('lets nobody lift a block of another’s, or block in their name', async () => {
      await findsNothing(bob, 'delete from blocks', 'update blocks set at = at');
      assert.equal((await run(bob, 'select from blocks')).rowCount, 1, 'either of the two knows');
      const block = (by: UserId, blocked: UserId) =>
        `insert into blocks (user_id, blocked_id, at) values ('${by}', '${blocked}', now())`;
      await mayNot(bob, block(ana, eve), block(eve, bob));
      await may(bob, block(bob, ana));
      await may(ana, 'delete from blocks');
    });
  });

  describe('of what opens an account', () => {
    const ticket = (userId: UserId) =>
      `insert into oauth_tickets (token_hash, purpose, user_id, expires_at) values (${hash('t')}, 'sign_in', '${userId}', now())`;
    const challenge = (userId: UserId | null) =>
      `insert into challenges (token_hash, purpose, user_id, expires_at)
        values (${hash('c')}, 'sign_in', ${userId && `'${userId}'`}, now())`;

    it('nobody makes it in another’s name, or uses theirs', async () => {
      await mayNot(eve, ticket(ana), challenge(ana), challenge(null));
      await may(eve, ticket(eve), challenge(eve), `update challenges set tries = 1`, `delete from challenges`);
      await findsNothing(eve, 'update oauth_tickets set used_at = null', 'delete from oauth_tickets');
      await findsNothing(
        eve,
        'update challenges set tries = 0',
        'delete from challenges',
        'delete from password_resets',
      );
      await may(ana, 'delete from password_resets');
    });

    it('nobody asks for a new password, or says where it is sent, also not their own', async () => {
      const reset = `insert into password_resets (id, token_hash, channel, target, expires_at, sent_at, user_id)
        values ('${randomUUIDv7()}', ${hash('r')}, 'email', 'a@example.test', now(), now(), '${ana}')`;
      for (const by of [ana, eve]) await mayNot(by, reset, `update password_resets set target = 'e@example.test'`);
    });

    it('addresses of others are read nowhere, nor whom they speak with', async () => {
      await findsNothing(eve, 'select target from password_resets', 'select key from conversation_keys');
      await mayNot(eve, 'select target from notices', 'select payload from outbox', 'select user_id from audit');
      assert.equal((await run(bob, 'select key from conversation_keys')).rowCount, 1);
      const key = (name: string) =>
        `insert into conversation_keys (key, conversation_id, fingerprint) values ('${name}', '${conversationId}', '')`;
      await mayNot(eve, key(`direct:${ana}`), key(`group:${ana}:${eve}`), key(`other:${ana}:${eve}`));
      await may(eve, key(`direct:${ana}:${eve}`), key(`direct:${eve}`), key(`group:${eve}:x`));
    });
  });

  describe('of what is owed and counted', () => {
    it('nobody keeps others from being told, or has them told', async () => {
      await findsNothing(
        eve,
        'delete from armed',
        `update attention set state = 'quiet'`,
        'update screens set look_at = now()',
      );
      await may(ana, 'delete from armed', 'update attention set nudge_at = now()');
      const owed = (of: string) => `insert into outbox (topic, ${of})`;
      await mayNot(eve, `${owed('user_id')} values ('notice.owed', '${ana}')`);
      await mayNot(eve, `${owed('conversation_id')} values ('messages.changed', '${conversationId}')`);
      await mayNot(
        bob,
        `${owed('conversation_id, user_id')} values ('messages.changed', '${conversationId}', '${bob}')`,
      );
      await mayNot(
        eve,
        `${owed('payload')} values ('notice.owed', '{}')`,
        'delete from outbox',
        'update outbox set tries = 0',
      );
      await may(bob, `${owed('user_id')} values ('notice.owed', '${bob}')`);
      await may(bob, `${owed('conversation_id')} values ('messages.changed', '${conversationId}')`);
    });

    it('nobody is written down for what another did', async () => {
      const entry = (who: string, value: string) =>
        `insert into audit (id, ${who}, action, user_id) values ('${randomUUIDv7()}', '${value}', 'suspend_user', '${bob}')`;
      await mayNot(
        eve,
        entry('actor_id', ana),
        entry('operator', 'homing'),
        'delete from audit',
        'update audit set at = at',
      );
      await may(eve, entry('actor_id', eve));
    });

    it('nobody reads or changes tables that are of no person', async () => {
      for (const [table, rights] of Object.entries(open)) {
        const key = await firstColumn(table);
        await mayNot(eve, `delete from ${table}`, `update ${table} set ${key} = ${key}`);
        if (!rights.includes('SELECT')) await mayNot(eve, `select from ${table}`, `select ${key} from ${table}`);
      }
    });

    it('nobody forgets what was another’s rule, or invents one, but who makes them a member again', async () => {
      const past = (kind: string, subject: string) =>
        `insert into past_rules (user_id, kind, subject, until) values ('${bob}', '${kind}', '${subject}', now())`;
      await findsNothing(eve, 'delete from past_rules');
      await mayNot(eve, past('membership', conversationId), past('settings', ''));
      await mayNot(ana, past('settings', ''));
      await may(ana, past('membership', conversationId));
    });
  });

  describe('of what is written', () => {
    const line = (sender: UserId, kind = 'system') =>
      `insert into messages (conversation_id, seq, version, changed_version, id, client_id, sender_id, kind, fingerprint, created_at)
        values ('${conversationId}', 9, 9, 9, '${randomUUIDv7()}', '${randomUUIDv7()}', '${sender}', '${kind}', '', now())`;
    const event = (actor: UserId) =>
      `insert into events (conversation_id, version, seq, type, actor_id, at, data)
        values ('${conversationId}', 9, 9, 'conversation.updated', '${actor}', now(), '{}')`;
    const follower = (userId: UserId) =>
      `insert into thread_members (conversation_id, root_seq, user_id, following) values ('${conversationId}', 3, '${userId}', true)`;
    const reaction = (userId: UserId) =>
      `insert into reactions (conversation_id, seq, emoji, user_id, at) values ('${conversationId}', 4, '🎉', '${userId}', now())`;
    const edit = (seq: number) =>
      `insert into message_edits (conversation_id, seq, nth, client_id, fingerprint, text, written_at)
        values ('${conversationId}', ${seq}, 9, '${randomUUIDv7()}', '', 'x', now())`;

    it('a stranger puts nothing into it, also in their own name', async () => {
      await mayNot(eve, line(eve), event(eve), follower(eve), reaction(eve), edit(4));
      await may(bob, line(bob), event(bob), follower(bob), reaction(bob), edit(4));
    });

    it('nobody says, does or changes anything in another’s name', async () => {
      await mayNot(bob, line(ana), event(ana), reaction(ana), edit(3), line(bob, 'text'));
      for (const column of ['sender_id', 'seq', 'created_at', 'kind', 'id'])
        for (const by of [ana, bob]) await mayNot(by, `update messages set ${column} = ${column} where seq = 4`);
      await findsNothing(
        bob,
        'update events set at = at',
        'delete from events',
        'update reactions set at = at',
        'delete from messages',
      );
    });

    it('who wrote something changes what it says, and who leads the conversation may erase it', async () => {
      const write = (seq: number) =>
        `update messages set text = 'x', edits = edits + 1, edited_at = now() where seq = ${seq}`;
      const erase = (seq: number) => `update messages set text = null, deleted_at = now() where seq = ${seq}`;
      await mayNot(bob, write(3), erase(3));
      await mayNot(ana, write(4));
      await may(bob, write(4), erase(4), `update messages set pinned_at = now() where seq = 3`);
      await may(ana, write(3), erase(4));
    });

    it('reactions go with who gave them, who wrote the message, or who leads the conversation', async () => {
      const reacted = (seq: number, by: UserId) => `insert into reactions (conversation_id, seq, emoji, user_id, at)
        values ('${conversationId}', ${seq}, '🎉', '${by}', now())`;
      await database.run(`${reacted(3, ana)}; ${reacted(4, ana)}`);
      await findsNothing(bob, 'delete from reactions where seq = 3');
      await may(
        bob,
        'delete from reactions where seq = 4',
        reacted(3, bob),
        `delete from reactions where user_id = '${bob}'`,
      );
      await may(ana, 'delete from reactions where seq = 3');
      await database.run(`delete from reactions where seq in (3, 4)`);
    });

    it('a member reads changes from their joining on, and writes no history but of their own words', async () => {
      const count = async (by: UserId, table: string) => (await run(by, `select from ${table}`)).rowCount;
      assert.deepEqual([await count(ana, 'events'), await count(bob, 'events')], [1, 0]);
      await findsNothing(bob, 'delete from message_edits');
      await may(ana, 'delete from message_edits');
    });
  });

  describe('of who belongs to a conversation', () => {
    const member = (id: UserId, role = 'member') =>
      `insert into members (conversation_id, user_id, role, joined_at, joined_seq) values ('${conversationId}', '${id}', '${role}', now(), 0)`;
    const ban = `insert into bans (conversation_id, user_id, banned_by, at) values ('${conversationId}', '${randomUUIDv7()}', '${ana}', now())`;
    const invite = `insert into invites (conversation_id, id, code, created_by, created_at, expires_at)
      values ('${conversationId}', '${randomUUIDv7()}', 'more', '${ana}', now(), now() + interval '1 day')`;

    it('nobody makes themselves or others a member, bans or invites, but who leads it', async () => {
      for (const text of [member(eve), member(eve, 'owner'), ban, invite])
        for (const by of [eve, bob]) await assert.rejects(run(by, text), { code: '42501' }, text);
      await db
        .as(ana)
        .transaction(async (tx) => {
          for (const text of [member(eve), ban, invite, 'delete from bans'])
            assert.notEqual((await tx.query({ text, values: [] })).rowCount, 0, text);
          throw new Error('as it was');
        })
        .catch((error: Error) => assert.equal(error.message, 'as it was'));
    });

    it('nobody changes their own role or from where they read, comes back by themselves, or ends another’s membership', async () => {
      for (const change of [`role = 'owner'`, 'joined_seq = 0', `conversation_id = '${randomUUIDv7()}'`])
        await assert.rejects(run(bob, `update members set ${change} where user_id = '${bob}'`), { code: '42501' });
      for (const change of [`role = 'read_only'`, 'left_at = now()', 'joined_seq = 0'])
        assert.equal((await run(bob, `update members set ${change} where user_id = '${ana}'`)).rowCount, 0, change);
      await assert.rejects(
        db.as(bob).transaction(async (tx) => {
          const text = (value: string) => `update members set left_at = ${value} where user_id = '${bob}'`;
          assert.equal((await tx.query({ text: text('now()'), values: [] })).rowCount, 1, 'they leave');
          await tx.query({ text: text('null'), values: [] });
        }),
        { code: '42501' },
      );
      // Who leads it may step down, and not up again.
      await assert.rejects(
        db.as(ana).transaction(async (tx) => {
          const text = (role: string) => `update members set role = '${role}' where user_id = '${ana}'`;
          assert.equal((await tx.query({ text: text('read_only'), values: [] })).rowCount, 1);
          await tx.query({ text: text('owner'), values: [] });
        }),
        { code: '42501' },
      );
      assert.equal((await run(ana, `update members set role = 'admin' where user_id = '${bob}'`)).rowCount, 1);
      assert.equal((await run(ana, `update members set role = 'member' where user_id = '${bob}'`)).rowCount, 1);
    });

    it('nobody says from where or until when they read, also who leads it, and may go', async () => {
      const own = (by: UserId, change: string) => `update members set ${change} where user_id = '${by}'`;
      for (const by of [ana, bob])
        for (const change of ['joined_seq = 1', 'joined_version = 9', 'came_seq = 9'])
          await mayNot(by, own(by, change));
      await mayNot(bob, own(bob, 'left_version = 1'));
      for (const by of [ana, bob])
        for (const change of ['left_version = 99', 'left_at = now(), left_version = 7'])
          await mayNot(by, own(by, change));
      for (const by of [ana, bob]) await may(by, own(by, 'left_at = now(), left_version = 6'));
      await database.run(own(bob, 'left_at = now(), left_version = 5'));
      for (const change of [
        'left_version = 6',
        "left_at = left_at + interval '1 day'",
        'left_at = null',
        'joined_version = 0',
      ])
        await mayNot(bob, own(bob, change));
      await database.run(own(bob, 'left_at = null, left_version = null'));
      const version = await run(eve, `select version_of('${conversationId}') as n`);
      assert.equal(version.rows[0]?.n, null, 'how far it has come is told to nobody else');
      // Who leads it makes somebody a member again, from wherever, and ends it for all in one statement.
      await may(
        ana,
        own(bob, 'left_at = now(), left_version = 6'),
        own(bob, 'left_at = null, left_version = null, joined_seq = 4'),
      );
      await may(
        ana,
        `with ended as (update conversations set deleted_at = now() where id = '${conversationId}')
        update members set left_at = now(), left_version = 6 where conversation_id = '${conversationId}'`,
      );
    });

    it('who leads it says what it is, and its numbers move for every member', async () => {
      const change = (what: string) => `update conversations set ${what} where id = '${conversationId}'`;
      const settings = [
        `title = 'B'`,
        `description = 'B'`,
        `visibility = 'open'`,
        `posting = 'admins'`,
        `history = 'joining'`,
      ];
      for (const setting of [...settings, 'deleted_at = now()', 'member_count = 9']) {
        await mayNot(bob, change(setting));
        await may(ana, change(setting));
      }
      for (const by of [ana, bob])
        await mayNot(
          by,
          change(`created_by = '${bob}'`),
          change(`kind = 'channel'`),
          change('blocked = true'),
          change('id = id'),
        );
      const numbers = 'version = version + 1, last_seq = last_seq + 1, member_version = member_version + 1';
      await may(bob, change(`${numbers}, last_active_at = now(), member_count = member_count - 1`));
    });

    it('a pair is blocked as its blocks say', async () => {
      const pair = randomUUIDv7();
      await database.run(`
        insert into conversations (id, kind, created_by, created_at, version, last_seq, last_active_at, member_count, blocked)
          values ('${pair}', 'direct', '${ana}', now(), 1, 0, now(), 2, true);
        insert into members (conversation_id, user_id, role, joined_at, joined_seq)
          values ('${pair}', '${ana}', 'member', now(), 0), ('${pair}', '${bob}', 'member', now(), 0)`);
      const open = `update conversations set blocked = false where id = '${pair}'`;
      for (const by of [ana, bob]) await mayNot(by, open);
      await may(ana, 'delete from blocks', open);
      await database.run(
        `delete from members where conversation_id = '${pair}'; delete from conversations where id = '${pair}'`,
      );
    });

    it('a stranger sees of conversations those that are open to all', async () => {
      const titles = 'select title from conversations';
      await findsNothing(eve, titles);
      assert.equal((await run(bob, titles)).rowCount, 1);
      await database.run(`update conversations set visibility = 'open'`);
      assert.equal((await run(eve, titles)).rowCount, 1);
      await database.run(`update conversations set visibility = 'invited'`);
    });

    it('nobody bans or invites in another’s name', async () => {
      await mayNot(ana, `update invites set created_by = '${bob}'`, ban.replace(ana, bob), invite.replace(ana, bob));
    });

    it('who changes what is their own as their role is changed is not refused for it', async () => {
      const own = `update members set unread_mark = 1 where user_id = '${bob}'`;
      const lock = openDb({ url: database.url, applicationName: 'lock', maxConnections: 1 });
      let marking: Promise<{ rowCount: number | null }> | undefined;
      await lock.transaction(async (tx) => {
        await tx.query({ text: `update members set role = 'read_only' where user_id = '${bob}'`, values: [] });
        marking = run(bob, own);
        await until(
          async () =>
            (await database.run(`select from pg_stat_activity where wait_event_type = 'Lock' and query = $$${own}$$`))
              .rowCount,
          (waiting) => waiting === 1,
        );
      });
      assert.equal((await marking)?.rowCount, 1);
      await database.run(`update members set role = 'member', unread_mark = null where user_id = '${bob}'`);
      await lock.end();
    });

    it('a stranger changes nothing of it, and makes none', async () => {
      for (const change of [`visibility = 'open'`, `title = 'Mine'`, 'deleted_at = now()'])
        assert.equal((await run(eve, `update conversations set ${change}`)).rowCount, 0, change);
      await mayNot(
        eve,
        `insert into conversations (id, kind, created_by, created_at, version, last_seq, last_active_at, member_count)
          values ('${randomUUIDv7()}', 'group', '${eve}', now(), 1, 0, now(), 0)`,
      );
      assert.equal((await run(eve, 'delete from conversations')).rowCount, 0);
    });
  });

  it('shows a member what was written from their joining on, and what they wrote themselves', async () => {
    const seqs = async (userId: UserId) => {
      const { rows } = await db
        .as(userId)
        .query<{ seq: number }>({ text: 'select seq from messages order by seq', values: [] });
      return rows.map(({ seq }) => seq);
    };
    assert.deepEqual(await seqs(ana), [1, 2, 3, 4]);
    assert.deepEqual(await seqs(bob), [3, 4]);
  });

  it('shows nothing to who is not said, and the connection is nobody’s afterwards', async () => {
    const text = 'select count(*)::int as n from messages';
    const count = async (tx: { query: typeof db.query }) =>
      (await tx.query<{ n: number }>({ text, values: [] })).rows[0]?.n;
    const nobody = await db.transaction(async (tx) => {
      await tx.query({ text: 'set local role homing_person', values: [] });
      return count(tx);
    });
    assert.equal(nobody, 0);
    assert.equal(await count(db.as(bob)), 2);
    await assert.rejects(db.as(bob).query({ text: 'select 1 / 0', values: [] }), { code: '22012' });
    await assert.rejects(
      db.as(bob).transaction(() => Promise.reject(new Error('no'))),
      /no/,
    );
    const who = `select current_user || coalesce(current_setting('homing.person', true), '') as name`;
    const { rows } = await db.query<{ name: string }>({ text: who, values: [] });
    assert.equal(rows[0]?.name, 'homing_app');
    assert.equal(await count(db), 4);
  });

  it('is left for one step, and comes back', async () => {
    const text = 'select count(*)::int as n from messages';
    const seen = await db.as(bob).transaction(async (tx) => {
      const count = async (step: typeof tx) => (await step.query<{ n: number }>({ text, values: [] })).rows[0]?.n;
      return [await count(tx), await tx.asEverybody(count), await count(tx)];
    });
    assert.deepEqual(seen, [2, 4, 2]);
  });

  it('takes a name for a name only', async () => {
    const trick = `x'; set local role homing_app; --` as UserId;
    await assert.rejects(db.as(trick).query({ text: 'select count(*) from messages', values: [] }), { code: '22P02' });
  });

  // The guards say yes to everything: what they would have kept back must not come all the same.
  describe('without the guards', () => {
    const forged = (reader: UserId): ReadScope => judgedScope({ reader, conversationId, joinedSeq: 0 });
    const reading: Record<string, (scope: ReadScope) => (from: typeof db) => Promise<unknown>> = {
      messagesPage: (scope) => (from) => messagesPage(from, scope, { limit: 50 }),
      messageById: (scope) => async (from) => list(await messageById(from, scope, messageId as never)),
      newestMessages: (scope) => (from) => newestMessages(from, scope.reader, [scope], 50),
      pinnedMessages: (scope) => (from) => pinnedMessages(from, scope),
      threadsPage: (scope) => (from) => threadsPage(from, scope, { limit: 50 }),
      threadOfMember: (scope) => async (from) => list(await threadOfMember(from, scope, 1)),
      revisionsOf: (scope) => (from) => revisionsOf(from, scope, 1),
      reactionsPage: (scope) => (from) => reactionsPage(from, scope, 1, { limit: 50 }),
      membersPage: (scope) => (from) => membersPage(from, scope, { limit: 50 }),
      membersOfAll: (scope) => (from) => membersOfAll(from, [scope], 100),
      deliveryOf: (scope) => (from) => deliveryOf(from, scope, 1),
      openInvites: (scope) => (from) => openInvites(from, scope),
      bansPage: (scope) => (from) => bansPage(from, scope, { limit: 50 }),
      logAfter: (scope) => (from) => logAfter(from, scope.reader, [{ scope, version: 0 }], 50),
    };
    const list = (row: unknown) => (row === undefined ? [] : [row]);

    for (const [query, run] of Object.entries(reading)) {
      it(`${query} finds nothing for a stranger`, async () => {
        assert.notDeepEqual(await run(forged(ana))(db.as(ana) as typeof db), [], 'there is nothing to find');
        assert.deepEqual(await run(forged(eve))(db.as(eve) as typeof db), []);
      });
    }

    // PostgreSQL trusts few functions with rows before a policy has let them through: an index whose bound is computed by
    // another one is left, and a page reads the whole conversation. See messages.ts.
    for (const [query, run] of Object.entries(reading)) {
      it(`${query} finds its rows by the same indexes in a person’s name`, async () => {
        const [all, theirs] = [await boundsOf(db, run), await boundsOf(db.as(ana), run)];
        for (const [name, bounds] of all) assert.ok((theirs.get(name) ?? 0) >= bounds, `${name}: ${bounds} bounds`);
      });
    }
    const boundsOf = async (from: Db, run: (typeof reading)[string]) => {
      const bounds = new Map<string, number>();
      await from.transaction(async (tx) => {
        await tx.query({ text: 'set local enable_seqscan = off', values: [] });
        const explaining = {
          query: async ({ text, values }: Statement) => {
            const { rows } = await tx.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>({
              ...{ text: `explain (format json, costs off) ${text}`, values },
            });
            for (const { 'QUERY PLAN': plan } of rows) countBounds(plan[0].Plan, bounds);
            return { rows: [], rowCount: 0 };
          },
        };
        await run(forged(ana))(explaining as never);
      });
      return bounds;
    };

    it('nothing of another’s is erased or pinned', async () => {
      const place = { conversationId, seq: 1 };
      await db.as(eve).transaction(async (tx) => {
        await eraseMessage(tx, place as never, 9);
        await setPin(tx, place as never, { pinned: false, version: 9 });
      });
      const { rows } = await database.run(`select text, pinned_at is not null as pinned from messages where seq = 1`);
      assert.deepEqual(rows, [{ text: 'one', pinned: true }]);
    });
  });

  it('a query of what is written asks for a scope that was judged', () => {
    // The compiler is the test: each of these lines must not compile.
    const place = { reader: eve, conversationId, joinedSeq: 0 };
    const unjudged = [
      // @ts-expect-error
      () => messagesPage(db, place, { limit: 1 }),
      // @ts-expect-error
      () => logAfter(db, eve, [{ scope: place, version: 0 }], 1),
      // @ts-expect-error
      () => membersPage(db, { conversationId }, { limit: 1 }),
    ];
    assert.equal(unjudged.length, 3);
  });
});

interface PlanNode {
  Alias?: string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  Plans?: PlanNode[];
}

/** Those that grow with what is written: of the others a plan for tables this small may take any index. */
const growing = new Set(['messages', 'message_edits', 'reactions', 'threads', 'events']);

/** Of each such table, by its name in the statement, how many conditions an index answers, at least. */
function countBounds(
  { Alias, 'Relation Name': table, 'Index Cond': condition, Plans = [] }: PlanNode,
  bounds: Map<string, number>,
): void {
  // PostgreSQL numbers names that come more than once.
  const name = `${table} ${Alias?.replace(/_\d+$/, '')}`;
  if (table && condition && growing.has(table)) {
    const answered = condition.split(' AND ').length;
    bounds.set(name, Math.min(bounds.get(name) ?? answered, answered));
  }
  for (const plan of Plans) countBounds(plan, bounds);
}

const hash = (text: string) => `'\\x${createHash('sha256').update(text).digest('hex')}'`;
const person = (id: UserId, name: string) => `('${id}', '${name}', '${name}@example.test', '', 'en', 'UTC', now())`;
const message = (seq: number, sender: UserId, text: string, more = 'null, null') =>
  `('${conversationId}', ${seq}, ${seq + 1}, ${seq + 1}, '${seq === 1 ? messageId : randomUUIDv7()}', '${randomUUIDv7()}', '${sender}', '${text}', '', now(), ${more})`;

// Ana founded it; Bob came after the second message, and reads from there on; Eve is a stranger.
const seed = `
  insert into users (id, display_name, email, password_hash, locale, time_zone, created_at)
    values ${person(ana, 'ana')}, ${person(bob, 'bob')}, ${person(eve, 'eve')};
  insert into conversations (id, kind, title, created_by, created_at, version, last_seq, last_active_at, member_count)
    values ('${conversationId}', 'group', 'Ops', '${ana}', now(), 6, 4, now(), 2);
  insert into members (conversation_id, user_id, role, joined_at, joined_seq, joined_version)
    values ('${conversationId}', '${ana}', 'owner', now(), 0, 0), ('${conversationId}', '${bob}', 'member', now(), 2, 3);
  insert into messages (conversation_id, seq, version, changed_version, id, client_id, sender_id, text, fingerprint, created_at, pinned_at, thread_seq)
    values ${message(1, ana, 'one', 'now(), null')}, ${message(2, ana, 'two', 'null, 1')}, ${message(3, ana, 'three')}, ${message(4, bob, 'four')};
  insert into message_edits (conversation_id, seq, nth, client_id, fingerprint, text, written_at)
    values ('${conversationId}', 1, 1, '${randomUUIDv7()}', '', 'won', now());
  insert into reactions (conversation_id, seq, emoji, user_id, at) values ('${conversationId}', 1, '👍', '${ana}', now());
  insert into threads (conversation_id, root_seq, reply_count, last_seq) values ('${conversationId}', 1, 1, 2);
  insert into thread_members (conversation_id, root_seq, user_id, following) values ('${conversationId}', 1, '${ana}', true);
  insert into events (conversation_id, version, seq, type, actor_id, at, data)
    values ('${conversationId}', 1, 0, 'conversation.created', '${ana}', now(), '{}');
  insert into invites (conversation_id, id, code, created_by, created_at, expires_at)
    values ('${conversationId}', '${randomUUIDv7()}', 'code', '${ana}', now(), now() + interval '1 day');
  insert into bans (conversation_id, user_id, banned_by, at) values ('${conversationId}', '${randomUUIDv7()}', '${ana}', now());
  insert into blocks (user_id, blocked_id, at) values ('${ana}', '${bob}', now());
  insert into drafts (user_id, conversation_id, text, at) values ('${ana}', '${conversationId}', 'draft', now());
  insert into devices (user_id, id, platform, last_seen_at) values ('${ana}', '${randomUUIDv7()}', 'ios', now());
  insert into notification_settings (user_id, settings) values ('${ana}', '{}');
  insert into sessions (user_id, id, created_at, last_used_at, expires_at)
    values ('${ana}', '${randomUUIDv7()}', now(), now(), now() + interval '1 day');
  insert into refresh_tokens (token_hash, user_id, session_id, created_at, expires_at)
    values (${hash('token')}, '${ana}', '${randomUUIDv7()}', now(), now() + interval '1 day');
  insert into totp (user_id, secret, key_id, begun_at) values ('${ana}', '', 'k', now());
  insert into recovery_codes (user_id, code_hash) values ('${ana}', ${hash('code')});
  insert into passkeys (user_id, id, credential_id, public_key, counter, transports, name, created_at)
    values ('${ana}', '${randomUUIDv7()}', ${hash('key')}, '', 0, '{}', 'Key', now());
  insert into access_tokens (user_id, id, token_hash, name, scopes, created_at, expires_at)
    values ('${ana}', '${randomUUIDv7()}', ${hash('access')}, 'Bot', '{}', now(), now() + interval '1 day');
  insert into identities (user_id, provider, issuer, subject, created_at)
    values ('${ana}', 'google', 'https://id.example', 'ana', now());
  insert into episodes (user_id, episode, opened_at) values ('${ana}', 1, now());
  insert into attempts (user_id, id, episode, channel, state, covers, claimed_at)
    values ('${ana}', '${randomUUIDv7()}', 1, 'push', 'claimed', '[]', now());
  insert into attempt_events (user_id, attempt_id, key, source, kind, at)
    values ('${ana}', '${randomUUIDv7()}', 'k', 'provider', 'accepted', now());
  insert into decisions (user_id, id, episode, at, step, outcome, reason, evaluation, workflow_id, run_id)
    values ('${ana}', '${randomUUIDv7()}', 1, now(), 'push', 'send', 'unread', '[]', 'w', 'r');
  insert into notification_budgets (user_id, bucket, tokens, at) values ('${ana}', 'push', 1, now());
  insert into verifications (user_id, channel, id, target, expires_at)
    values ('${ana}', 'email', '${randomUUIDv7()}', 'a@example.test', now() + interval '1 hour');
  insert into challenges (token_hash, purpose, user_id, expires_at)
    values (${hash('challenge')}, 'step_up', '${ana}', now() + interval '1 hour');
  insert into oauth_tickets (token_hash, purpose, user_id, expires_at)
    values (${hash('ticket')}, 'link', '${ana}', now() + interval '1 hour');
  insert into password_resets (id, token_hash, channel, target, expires_at, user_id)
    values ('${randomUUIDv7()}', ${hash('reset')}, 'email', 'ana@example.test', now() + interval '1 hour', '${ana}');
  insert into notices (id, user_id, kind, channel, target, at)
    values ('${randomUUIDv7()}', '${ana}', 'token_made', 'email', 'ana@example.test', now());
  insert into conversation_keys (key, conversation_id, fingerprint) values ('direct:${ana}:${bob}', '${conversationId}', '');
  insert into attention (user_id, episode, state, opened_at, start_at) values ('${ana}', 1, 'held', now(), now());
  insert into armed (user_id, conversation_id, armed_at, from_seq, last_seq, last_at)
    values ('${ana}', '${conversationId}', now(), 1, 1, now());
  insert into disarmed (user_id, conversation_id, episode, from_seq, last_seq, at)
    values ('${ana}', '${conversationId}', 1, 1, 1, now());
  insert into screens (user_id) values ('${ana}');
  insert into shown (user_id, conversation_id, attempt_id, from_seq, through_seq, device_ids)
    values ('${ana}', '${conversationId}', '${randomUUIDv7()}', 1, 1, '{}');
  insert into here_calls (conversation_id, seq, user_id) values ('${conversationId}', 1, '${ana}');
  insert into late_calls (user_id, conversation_id, channel, seq, at) values ('${ana}', '${conversationId}', 'push', 1, now());
  insert into lifted_blocks (user_id, blocked_id, at) values ('${ana}', '${bob}', now());
  insert into past_rules (user_id, kind, subject, until) values ('${ana}', 'settings', '', now());
  insert into outbox (topic, user_id) values ('notice.owed', '${ana}');
  insert into audit (id, actor_id, action, user_id) values ('${randomUUIDv7()}', '${ana}', 'make_bot', '${ana}');`;
