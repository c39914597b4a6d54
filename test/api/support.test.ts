import assert from 'node:assert/strict';
import pg from 'pg';
import type { AttemptStory, AuditEntry, Gate, UserStory, Why, Reconciliation } from '../../contracts/entities/index.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { ruleOf } from '../../domain/access/index.ts';
import {
  type Person,
  deleteMessage,
  makeChannel,
  makeDirect,
  makeGroup,
  phoneNumber,
  read,
  registerDevice,
  registerPeople,
  registerPerson,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Door, by, byEachDoor } from '../support/doors.ts';
import { waitFor } from '../support/inbox.ts';
import { expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';
import { until } from '../support/until.ts';

const uiUrl = 'https://temporal.example.test';

byEachDoor('support can see why', (door: Door) => {
  let app: TestApp;
  let entrance: ReturnType<typeof by>;
  let db: pg.Client;
  let sue: Person;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { HOMING_TEMPORAL_UI_URL: uiUrl },
    });
    entrance = by(door, app);
    db = new pg.Client(app.database.url);
    await db.connect();
    sue = await withRole('support');
  });
  after(async () => {
    await db.end();
    await app.stop();
  });

  async function withRole(role: string): Promise<Person> {
    const person = await registerPerson(entrance, role);
    await db.query('update users set role = $2 where id = $1', [person.id, role]);
    return person;
  }
  const ask = (messageId: string, person: Person, who = sue) =>
    who.call<Why>('GET', `/v1/admin/messages/${messageId}/why?userId=${person.id}`);
  const why = async (message: { id: string }, person: Person) => expectStatus(await ask(message.id, person), 200);
  const storyOf = async (person: Person, query = '') =>
    expectStatus(await sue.call<UserStory>('GET', `/v1/admin/users/${person.id}/story${query}`), 200);
  const settled = (message: { id: string }, person: Person, outcome: string) =>
    until(
      () => why(message, person),
      ({ terminal }) => terminal.outcome === outcome,
    );
  const failed = ({ gates }: Why) => gates.filter(({ passed }) => !passed).map(({ gate }) => gate);

  it('when a push was sent, then it is told with what the provider said, what comes next, and the workflow', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const phone = phoneNumber();
    await verifyContacts(app, bob, phone);
    const token = await registerDevice(bob);
    const { id } = await makeDirect(ana, bob);
    const message = await send(ana, id, 'the secret words');
    await waitFor(app, { to: token });
    const told = await settled(message, bob, 'sent');
    assert.equal(told.terminal.reason, 'announced');
    assert.deepEqual([failed(told), told.read, told.level], [[], false, 'all']);
    const { episode } = told;
    assert.deepEqual(
      episode?.attempts[0]?.events.map(({ source, kind }) => [source, kind]),
      [['fcm', 'accepted']],
    );
    assert.deepEqual(episode?.attempts[0]?.covers, [{ conversationId: id, fromSeq: 1, toSeq: 1 }]);
    const sent = episode?.decisions.find(({ step, outcome }) => step === 'push' && outcome === 'send');
    assert.equal(sent?.attemptId, episode?.attempts[0]?.id);
    assert.deepEqual([...new Set(sent?.evaluation.map(({ channel }) => channel))], ['push', 'email', 'sms']);
    const waiting = await until(
      () => why(message, bob),
      ({ episode }) => episode?.next?.step === 'email' || (episode?.attempts.length ?? 0) > 1,
    );
    assert.ok(waiting.episode?.next || waiting.episode?.attempts.some(({ channel }) => channel === 'email'));
    const workflow = encodeURIComponent(`attention/${bob.id}/1`);
    assert.ok(episode?.workflow?.url?.startsWith(`${uiUrl}/namespaces/homing-test/workflows/${workflow}/`));

    const story = await storyOf(bob);
    assert.deepEqual([story.person.email?.masked, story.person.phone?.masked], ['b…@example.test', maskOf(phone)]);
    const text = JSON.stringify([story, told]);
    for (const hidden of ['the secret words', bob.email, phone, token]) assert.ok(!text.includes(hidden), hidden);
  });
  const maskOf = (phone: string) => `${phone.slice(0, 3)}…${phone.slice(-2)}`;

  it('when it was read first, then that is the answer, and the story is of an episode that was read', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const { id } = await makeDirect(ana, bob);
    const message = await send(ana, id, 'Hi');
    expectStatus(await read(bob, id, message.seq), 200);
    const told = await settled(message, bob, 'cancelled');
    assert.deepEqual([told.terminal.reason, told.read, failed(told)], ['read_before_send', true, ['unread']]);
    const { items } = await until(
      () => storyOf(bob),
      (page) => page.items.every(({ closedAt }) => closedAt !== null),
    );
    assert.ok(items.every(({ attempts, next }) => attempts.length === 0 && next === null));
  });

  it('when no channel can be used, then every step says why, and nothing comes next', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const { id } = await makeDirect(ana, bob);
    const message = await send(ana, id, 'Hi');
    const told = await settled(message, bob, 'skipped');
    assert.equal(told.terminal.reason, 'unreachable');
    const steps = told.episode?.decisions.map(({ step, reason }) => `${step} ${reason}`).sort();
    assert.deepEqual(steps, ['email email_unverified', 'episode unreachable', 'push no_device', 'sms channel_off']);
    assert.equal(told.episode?.next, null);
  });

  it('when a rule of the person or of the house kept it back, then the gate that did so is named', async () => {
    const [ana, bob, eve] = await registerPeople(entrance, 'Ana', 'Bob', 'Eve');
    const group = await makeGroup(ana, [bob]);
    const expect = async (message: { id: string }, person: Person, reason: string, gates: Gate['gate'][]) => {
      const told = await why(message, person);
      assert.deepEqual([told.terminal.outcome, told.terminal.reason], ['skipped', reason]);
      assert.deepEqual(
        gates.filter((gate) => !failed(told).includes(gate)),
        [],
      );
      assert.ok(told.terminal.sentence.length > 10);
      assert.equal(told.episode, null);
    };
    const settings = async (patch: object, conversation = group) =>
      expectStatus(await bob.call('PATCH', `/v1/conversations/${conversation.id}/me`, patch), 200);
    await settings({ mutedUntil: new Date(Date.now() + 3_600_000).toISOString() });
    const muted = await send(ana, group.id, 'Hi');
    await expect(muted, bob, 'muted_conversation', ['notMuted']);
    await expect(muted, ana, 'own_message', ['notOwn']);
    await expect(muted, eve, 'not_member', ['member']);
    await settings({ mutedUntil: null, level: 'nothing' });
    await expect(await send(ana, group.id, 'Hi'), bob, 'level_nothing', ['level']);
    await settings({ level: 'mentions' });
    await expect(await send(ana, group.id, 'Hi'), bob, 'level_mentions_only', ['level']);
    await settings({ level: 'all' });
    const reply = await send(ana, group.id, 'Hm', { threadId: muted.id });
    await expect(reply, bob, 'thread_not_followed', ['level']);
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
    await expect(await send(ana, group.id, 'Hi'), bob, 'blocked_sender', ['notBlocked']);
    const channel = await makeChannel(ana);
    const gone = await send(ana, channel.id, 'Hi');
    expectStatus(await deleteMessage(ana, channel.id, gone.id), 200);
    const told = await why(gone, bob);
    assert.deepEqual(failed(told).includes('notDeleted'), true);
  });

  it('what held when the message came is told, whatever holds now', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const settings = async (patch: object) =>
      expectStatus(await bob.call('PATCH', `/v1/conversations/${group.id}/me`, patch), 200);
    const general = async (patch: object) => expectStatus(await bob.call('PATCH', '/v1/me/notifications', patch), 200);
    const mentions = [{ type: 'user', userId: bob.id, offset: 0, length: 4 }];
    const seen = async (text: string, extra: Record<string, unknown> = {}) => {
      const message = await send(ana, group.id, text, extra);
      await until(
        async () => (await db.query(`select from outbox where topic = 'messages.stored'`)).rowCount,
        (owed) => owed === 0,
      );
      return message;
    };
    const kept: [message: { id: string }, reason: string][] = [];
    await settings({ mutedUntil: new Date(Date.now() + 3_600_000).toISOString() });
    kept.push([await seen('while muted'), 'muted_conversation']);
    await settings({ mutedUntil: null });
    await settings({ level: 'nothing' });
    kept.push([await seen('while nothing was wanted'), 'level_nothing']);
    await settings({ level: null });
    await general({ level: 'mentions' });
    kept.push([await seen('while mentions were'), 'level_mentions_only']);
    await general({ mentions: { direct: false } });
    kept.push([await seen('@Bob', { mentions }), 'level_mentions_only']);
    await general({ level: 'all', mentions: { direct: true } });
    expectStatus(await bob.call('PUT', `/v1/me/blocks/${ana.id}`), 204);
    kept.push([await seen('while blocked'), 'blocked_sender']);
    expectStatus(await bob.call('DELETE', `/v1/me/blocks/${ana.id}`), 204);
    for (const [message, reason] of kept) {
      const told = await why(message, bob);
      assert.deepEqual([told.terminal.outcome, told.terminal.reason, told.episode], ['skipped', reason, null]);
    }
    // And the other way round: who was told is not said to have been kept from it by what they set later.
    const token = await registerDevice(bob);
    const reached = await seen('hello');
    await waitFor(app, { to: token });
    await settings({ mutedUntil: new Date(Date.now() + 3_600_000).toISOString() });
    await settled(reached, bob, 'sent');
  }).timeout(60_000);

  it('when it had begun and a rule ended it, then it was cancelled, by that rule and at that time', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    // Who is connected has the longer grace.
    const socket = await connect(app.url, { token: bob.token });
    const message = await send(ana, group.id, 'Hi');
    await until(
      async () => (await db.query('select from armed where user_id = $1', [bob.id])).rowCount,
      (armed) => armed === 1,
    );
    const mutedUntil = new Date(Date.now() + 3_600_000).toISOString();
    expectStatus(await bob.call('PATCH', `/v1/conversations/${group.id}/me`, { mutedUntil }), 200);
    const told = await settled(message, bob, 'cancelled');
    assert.equal(told.terminal.reason, 'muted_conversation');
    const decision = told.episode?.decisions.find(({ step }) => step === 'conversation');
    assert.deepEqual([decision?.conversationId, decision?.at], [group.id, told.terminal.at]);
    assert.deepEqual(failed(told), []);
    socket.close();
  });

  it('when the relay came late, then the rules are told by which it judged', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const message = await send(ana, group.id, 'Hi');
    await settled(message, bob, 'skipped');
    // As if it had been stored an hour before, with a mute that began meanwhile and is over.
    await db.query(`update messages set created_at = created_at - interval '1 hour' where id = $1`, [message.id]);
    await app.database.run(`delete from decisions where user_id = '${bob.id}'`);
    await app.database.run(`delete from episodes where user_id = '${bob.id}'`);
    await db.query(
      `insert into late_looks (conversation_id, seq_from, seq_to, at) values ($1, $2, $2, now() - interval '10 minutes')`,
      [group.id, message.seq],
    );
    await db.query(
      `insert into past_rules (user_id, kind, subject, until, was)
       select user_id, 'membership', conversation_id::text, now() - interval '30 minutes', to_jsonb(row) from members m,
         lateral (select level, null as "mutedUntil", null as "muteExcept", joined_seq as "joinedSeq", joined_at - interval '2 hours' as "joinedAt",
           left_at as "leftAt") row where conversation_id = $1 and user_id = $2
       union all select user_id, 'membership', conversation_id::text, now() - interval '1 minute', to_jsonb(row) from members m,
         lateral (select level, now() as "mutedUntil", null as "muteExcept", joined_seq as "joinedSeq", joined_at - interval '2 hours' as "joinedAt",
           left_at as "leftAt") row where conversation_id = $1 and user_id = $2`,
      [group.id, bob.id],
    );
    const told = await why(message, bob);
    assert.deepEqual([told.terminal.outcome, told.terminal.reason], ['skipped', 'muted_conversation']);
    assert.ok(Math.abs(Date.parse(told.gatesAt) - Date.now() + 600_000) < 60_000);
  });

  it('when somebody without the role asks, then they are refused alike whether or not there is such a person', async () => {
    const ana = await registerPerson(entrance, 'Ana');
    const operator = await withRole('operator');
    const moderator = await withRole('moderator');
    const nobody = '01900000-0000-7000-8000-000000000000';
    const guarded = (Object.values(endpoints) as Endpoint[]).filter(
      ({ operationId, tag }) => ruleOf(operationId).who === 'staff' && tag === 'Support',
    );
    assert.equal(guarded.length, 8);
    for (const { method, path } of guarded) {
      const refusals = [];
      for (const id of [ana.id, nobody]) {
        const query = path.endsWith('/why') ? `?userId=${id}` : '';
        const answer = await moderator.call<{ detail?: string }>(
          method.toUpperCase(),
          path.replace('{id}', id) + query,
        );
        expectProblem(answer as never, 403, 'forbidden');
        refusals.push(answer.body.detail);
      }
      assert.equal(refusals[0], refusals[1]);
    }
    expectProblem(await operator.call('GET', '/v1/admin/audit'), 403, 'forbidden');
    expectStatus(await operator.call('GET', `/v1/admin/users/${ana.id}/story`), 200);
    expectProblem(await sue.call('GET', `/v1/admin/users/${nobody}/story`), 404, 'not_found');
    await db.query("update users set role = 'member' where id = $1", [operator.id]);
    expectProblem(await operator.call('GET', `/v1/admin/users/${ana.id}/story`), 403, 'forbidden');
  });

  it('operators see whether everybody was told, and whom the recount finds wanting, page by page', async () => {
    const operator = await withRole('operator');
    for (const seq of [1, 2])
      await db.query(
        `insert into differences (kind, user_id, conversation_id, seq) values ('not_armed', $1, gen_random_uuid(), $2)`,
        [operator.id, seq],
      );
    const page = async (query: string) =>
      expectStatus(await operator.call<Reconciliation>('GET', `/v1/admin/reconciliation${query}`), 200);
    const { differences, items, nextCursor } = await page('?limit=1');
    assert.deepEqual([differences.not_armed, differences.stalled], [2, 0]);
    const rest = await page(`?limit=1&cursor=${nextCursor}`);
    assert.deepEqual(
      [...items, ...rest.items].map(({ userId, seq }) => [userId, seq]),
      [
        [operator.id, 1],
        [operator.id, 2],
      ],
    );
    assert.equal(rest.nextCursor, null);
    const { rows } = await db.query<{ action: string }>('select action from audit where actor_id = $1', [operator.id]);
    assert.deepEqual(
      rows.map(({ action }) => action),
      ['reconcile', 'reconcile'],
    );
    await db.query('delete from differences');
  });

  it('one notification is told the other way round: whom it was for, what it told, and why', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const token = await registerDevice(bob);
    const { id } = await makeDirect(ana, bob);
    const message = await send(ana, id, 'the secret words');
    const [push] = await waitFor(app, { to: token });
    const at = `/v1/admin/attempts/${push?.attemptId}`;
    const told = await until(
      async () => expectStatus(await sue.call<AttemptStory>('GET', at), 200),
      ({ attempt }) => attempt.state === 'accepted',
    );
    assert.deepEqual([told.userId, told.attempt.id, told.attempt.channel], [bob.id, push?.attemptId, 'push']);
    assert.deepEqual(
      told.messages.map(({ id, seq }) => [id, seq]),
      [[message.id, 1]],
    );
    assert.deepEqual([told.decision?.outcome, told.decision?.attemptId], ['send', push?.attemptId]);
    assert.deepEqual(
      told.attempt.events.map(({ source, kind }) => [source, kind]),
      [['fcm', 'accepted']],
    );
    assert.doesNotMatch(JSON.stringify(told), /the secret words|@example/);
    expectProblem(await sue.call('GET', `/v1/admin/attempts/${message.id}`), 404, 'not_found');
    expectProblem(await bob.call('GET', at), 403, 'forbidden');
    const { rows } = await db.query<{ user_id: string }>(
      `select user_id from audit where actor_id = $1 and action = 'explain_attempt'`,
      [sue.id],
    );
    assert.deepEqual(new Set(rows.map(({ user_id }) => user_id)), new Set([bob.id]), 'a look at nothing is none');
  });

  it('each look is audited, pages of it follow one another, and nobody can change it', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const admin = await withRole('admin');
    const { id } = await makeDirect(ana, bob);
    const message = await send(ana, id, 'Hi');
    await storyOf(bob);
    await why(message, bob);
    const page = async (query: string) =>
      expectStatus(
        await admin.call<{ items: AuditEntry[]; nextCursor: string | null }>('GET', `/v1/admin/audit${query}`),
        200,
      );
    const first = await page('?limit=1');
    assert.deepEqual(
      first.items.map(({ by, action, userId, messageId }) => ({ by, action, userId, messageId })),
      [{ by: { userId: sue.id }, action: 'why', userId: bob.id, messageId: message.id }],
    );
    const second = await page(`?limit=1&cursor=${first.nextCursor}`);
    assert.deepEqual([second.items[0]?.action, second.items[0]?.userId], ['story', bob.id]);
    assert.deepEqual((await page('?limit=1')).items[0]?.by, { userId: admin.id });
    await assert.rejects(db.query('delete from audit'), /permission denied/);
    await assert.rejects(db.query("update audit set action = 'why'"), /permission denied/);
  });

  it('a story of several episodes comes in pages, the latest first', async () => {
    const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
    const { id } = await makeDirect(ana, bob);
    for (const count of [1, 2]) {
      await send(ana, id, 'Hi');
      await until(
        () => storyOf(bob),
        ({ items }) => items.length === count && items.every(({ closedAt }) => closedAt !== null),
      );
    }
    const first = await storyOf(bob, '?limit=1');
    assert.deepEqual(
      first.items.map(({ episode }) => episode),
      [2],
    );
    const second = await storyOf(bob, `?limit=1&cursor=${first.nextCursor}`);
    assert.deepEqual([second.items.map(({ episode }) => episode), second.nextCursor], [[1], null]);
    const other = `/v1/admin/users/${ana.id}/story?cursor=${first.nextCursor}`;
    expectProblem(await sue.call('GET', other), 400, 'invalid_input');
  });
});
