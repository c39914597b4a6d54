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

/** Tables of which a person's statements see everything, each for its reason. Whoever adds a table decides. */
const open: Record<string, readonly string[]> = {
  'asked for by a secret, or by who is nobody yet': [
    'challenges',
    'password_resets',
    'oauth_tickets',
    'conversation_keys',
  ],
  'what the durable lane knows of whom a change concerns': [
    ...['armed', 'attention', 'disarmed', 'here_calls', 'late_calls', 'late_looks', 'lifted_blocks', 'past_rules'],
    ...['outbox', 'notices', 'screens', 'shown', 'watermarks', 'urgent_sends', 'unreached'],
  ],
  'of no person, or by hash alone': [
    ...[
      'allowances',
      'audit',
      'audit_end',
      'differences',
      'provider_reports',
      'recount_walks',
      'signing_keys',
      'suppressions',
    ],
    ...['text_days', 'unreadable_reports'],
  ],
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
    const named = Object.values(open).flat();
    const protectedTables = await column(isProtected);
    assert.deepEqual([...named, ...protectedTables].sort(), all.sort());
  });

  it('gives who acts as a person the rights of the application, and no way past it', async () => {
    const rightsOf = (role: string) =>
      column(`select table_name || ' ' || privilege_type as name from information_schema.role_table_grants
        where grantee = '${role}' and table_schema = 'public' order by 1`);
    const withheld = new Set(['accounts UPDATE', 'users SELECT', 'users UPDATE', 'users DELETE']);
    const those = (await rightsOf('homing_app')).filter((right) => !withheld.has(right));
    assert.deepEqual(await rightsOf('homing_person'), those);
    const passing = await column(
      `select rolname as name from pg_roles where rolname like 'homing%' and (rolbypassrls or rolsuper)`,
    );
    assert.deepEqual(passing, []);
  });

  it('shows a stranger nothing of any table, whatever is asked for', async () => {
    for (const table of await column(`${isProtected} except values ('users'), ('conversations')`)) {
      const count = { text: `select count(*)::int as n from ${table}`, values: [] };
      const [all, hers] = [await db.query<{ n: number }>(count), await db.as(eve).query<{ n: number }>(count)];
      assert.notEqual(all.rows[0]?.n, 0, `${table} has nothing to show`);
      assert.equal(hers.rows[0]?.n, 0, table);
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

  /** What nobody may change is refused, and does not only find nothing. */
  const refused = ({ code }: { code?: string }) => {
    assert.equal(code, '42501');
    return { rowCount: 0 };
  };
  const firstColumn = async (table: string): Promise<string> =>
    (
      await column(`select attname as name from pg_attribute where attrelid = '${table}'::regclass and attnum = 1`)
    )[0] ?? '';

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
  });

  describe('of who belongs to a conversation', () => {
    const run = (by: UserId, text: string) => db.as(by).query({ text, values: [] });
    const member = (id: UserId, role = 'member') =>
      `insert into members (conversation_id, user_id, role, joined_at, joined_seq) values ('${conversationId}', '${id}', '${role}', now(), 0)`;
    const ban = `insert into bans (conversation_id, user_id, banned_by, at) values ('${conversationId}', '${randomUUIDv7()}', '${bob}', now())`;
    const invite = `insert into invites (conversation_id, id, code, created_by, created_at, expires_at)
      values ('${conversationId}', '${randomUUIDv7()}', 'more', '${bob}', now(), now() + interval '1 day')`;

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
      await assert.rejects(run(eve, `insert into conversations select * from conversations`), { code: '42501' });
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
  insert into members (conversation_id, user_id, role, joined_at, joined_seq)
    values ('${conversationId}', '${ana}', 'owner', now(), 0), ('${conversationId}', '${bob}', 'member', now(), 2);
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
    values ('${ana}', 'email', '${randomUUIDv7()}', 'a@example.test', now() + interval '1 hour');`;
