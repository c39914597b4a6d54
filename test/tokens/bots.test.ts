import assert from 'node:assert/strict';
import pg from 'pg';
import {
  type AccessToken,
  type Bot,
  type Conversation,
  type Member,
  type Scope,
  type TokenMade,
  type User,
  type Why,
  scopeNames,
} from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { hashToken } from '../../domain/accounts/sessions.ts';
import { newToken } from '../../domain/accounts/token-format.ts';
import { changeUserRole, reactivateUser, suspendUser } from '../../domain/support/index.ts';
import { type Person, makeGroup, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { openMeeting } from '../support/meeting.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

type BotMade = { bot: Bot } & TokenMade;
const operator = { operator: 'test' };

describe('bots', () => {
  let app: TestApp;
  let db: pg.Pool;
  before(async function () {
    this.timeout(60_000);
    app = await startApp();
    db = new pg.Pool({ connectionString: app.database.adminUrl, max: 2 });
  });
  after(async () => {
    await db.end();
    await app.stop();
  });

  const token = (scopes: readonly Scope[] = scopeNames) => ({ name: 'First', scopes });
  const make = async (owner: Person, displayName = 'Robot', scopes?: readonly Scope[]): Promise<BotMade> =>
    expectStatus(await owner.call<BotMade>('POST', '/v1/bots', { displayName, token: token(scopes) }), 201);
  const as = <Body = Record<string, never>>({ token: own }: TokenMade, method: string, path: string, body?: unknown) =>
    call<Body>(app.url, method, path, { token: own, body });
  const admin = async (): Promise<Person> => {
    const person = await registerPerson(app, 'Olga');
    await db.query(`update users set role = 'admin' where id = $1`, [person.id]);
    return person;
  };
  const deps = () => (app.processes[0] ?? assert.fail()).runtime.deps;

  it('one is a user of its own, which people see is a program, and writes as itself', async () => {
    const [ana, ben] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Ben')];
    const made = await make(ana);
    assert.deepEqual(made.bot.ownerId, ana.id);
    const kinds = [];
    for (const id of [made.bot.id, ana.id])
      kinds.push(expectStatus(await ben.call<User>('GET', `/v1/users/${id}`), 200).kind);
    assert.deepEqual(kinds, ['bot', 'person']);
    const { id } = await makeGroup(ana, [ben]);
    const socket = await connect(app.url, { token: made.token });
    const added = await ana.call('POST', `/v1/conversations/${id}/members`, { userIds: [made.bot.id] });
    expectStatus(added, 200);
    await send(ben, id, 'Robot, hello');
    await socket.heard('event', ({ type, data }) => type === 'message.created' && 'message' in data);
    const clientId = crypto.randomUUID();
    const path = `/v1/conversations/${id}/messages`;
    const { message } = expectStatus(
      await as<{ message: { senderId: string } }>(made, 'POST', path, { clientId, text: 'Hello' }),
      201,
    );
    assert.equal(message.senderId, made.bot.id);
    socket.close();
  });

  it('what is its owner’s is not the bot’s', async () => {
    const [ana, ben] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Ben')];
    const { id } = await makeGroup(ana, [ben]);
    const made = await make(ana);
    expectProblem(await as(made, 'GET', `/v1/conversations/${id}`), 404, 'not_found');
    const { items } = expectStatus(await as<{ items: Conversation[] }>(made, 'GET', '/v1/conversations'), 200);
    assert.deepEqual(items, []);
    expectProblem(
      await as(made, 'POST', '/v1/bots', { displayName: 'Two', token: token() }),
      403,
      'insufficient_scope',
    );
  });

  it('nobody signs in as one, and it can be given no address, no number and no role', async () => {
    const ana = await registerPerson(app, 'Ana');
    const { bot } = await make(ana);
    for (const identifier of [bot.id, 'Robot', ''])
      assert.ok(
        [400, 401].includes(
          (await call(app.url, 'POST', '/v1/auth/login', { body: { identifier, password: 'x' } })).status,
        ),
      );
    await assert.rejects(
      db.query(`update users set email = 'bot@example.test' where id = $1`, [bot.id]),
      /users_bot_check/,
    );
    await assert.rejects(changeUserRole(deps(), operator, bot.id, 'admin'), { code: 'not_found' });
  });

  it('its owner and admins rename and end it; to others it is not there', async () => {
    const [ana, eve, olga] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Eve'), await admin()];
    const made = await make(ana);
    const at = `/v1/bots/${made.bot.id}`;
    for (const [method, path, body] of [
      ['PATCH', at, { displayName: 'Mine' }],
      ['DELETE', at],
      ['GET', `${at}/tokens`],
      ['POST', `${at}/tokens`, token()],
      ['DELETE', `/v1/me/tokens/${made.accessToken.id}`],
    ] as const)
      expectProblem(await eve.call(method, path, body), 404, 'not_found');
    expectProblem(await olga.call('POST', `${at}/tokens`, token()), 404, 'not_found');
    for (const [who, displayName] of [
      [ana, 'Two'],
      [olga, 'Three'],
    ] as const)
      assert.equal(expectStatus(await who.call<Bot>('PATCH', at, { displayName }), 200).displayName, displayName);
    const socket = await connect(app.url, { token: made.token });
    expectStatus(await olga.call('DELETE', at), 204);
    await socket.heard('notice', ({ code }) => code === 'session_revoked');
    expectProblem(await as(made, 'GET', '/v1/me'), 401, 'session_revoked');
    expectProblem(await ana.call('DELETE', at), 404, 'not_found');
    const { items } = expectStatus(await ana.call<{ items: Bot[] }>('GET', '/v1/bots'), 200);
    assert.deepEqual(items, []);
  });

  const rolesIn = async (person: Person, id: string) => {
    const path = `/v1/conversations/${id}/members`;
    const { items } = expectStatus(await person.call<{ items: Member[] }>('GET', path), 200);
    return Object.fromEntries(items.map(({ userId, role }) => [userId, role]));
  };
  const found = async (made: BotMade, memberIds: string[], kind = 'group') => {
    const body = { clientId: crypto.randomUUID(), kind, title: 'Robots', memberIds };
    return expectStatus(await as<Conversation>(made, 'POST', '/v1/conversations', body), 201);
  };

  for (const kind of ['group', 'channel'])
    it(`what it founds (a ${kind}) its owner owns, too, named or not; so it may leave`, async () => {
      const [ana, ben] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Ben')];
      const made = await make(ana);
      const socket = await connect(app.url, { token: ana.token });
      for (const named of [[ben.id], [ana.id, ben.id]]) {
        const { id, memberCount } = await found(made, named, kind);
        assert.equal(memberCount, 3);
        await socket.heard(
          'event',
          ({ conversationId, type }) => conversationId === id && type === 'conversation.created',
        );
        assert.deepEqual(await rolesIn(ana, id), { [ana.id]: 'owner', [ben.id]: 'member', [made.bot.id]: 'owner' });
        expectStatus(await as(made, 'DELETE', `/v1/conversations/${id}/members/${made.bot.id}`), 204);
        expectStatus(await ana.call('PATCH', `/v1/conversations/${id}`, { title: 'Mine' }), 200);
      }
      socket.close();
    });

  it('what it says to one person has no owner', async () => {
    const [ana, ben] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Ben')];
    const made = await make(ana);
    const body = { clientId: crypto.randomUUID(), kind: 'direct', memberIds: [ben.id] };
    const { id } = expectStatus(await as<Conversation>(made, 'POST', '/v1/conversations', body), 201);
    assert.deepEqual(await rolesIn(ben, id), { [ben.id]: 'member', [made.bot.id]: 'member' });
  });

  it('its end leaves nothing without an owner', async () => {
    const [ana, ben, cem] = [
      await registerPerson(app, 'Ana'),
      await registerPerson(app, 'Ben'),
      await registerPerson(app, 'Cem'),
    ];
    const made = await make(ana);
    const [both, byOwner, byAdmin, byMember] = [
      await found(made, [ben.id]),
      await found(made, [ben.id]),
      await found(made, [ben.id, cem.id]),
      await found(made, [cem.id, ben.id]),
    ];
    // Its owner steps down, or goes.
    expectStatus(await ana.call('PATCH', `/v1/conversations/${byOwner.id}/members/${ana.id}`, { role: 'member' }), 204);
    expectStatus(await ana.call('PATCH', `/v1/conversations/${byAdmin.id}/members/${cem.id}`, { role: 'admin' }), 204);
    for (const { id } of [byAdmin, byMember])
      expectStatus(await ana.call('DELETE', `/v1/conversations/${id}/members/${ana.id}`), 204);
    await db.query(
      `update members set joined_at = joined_at - interval '1 day' where conversation_id = $1 and user_id = $2`,
      [byMember.id, cem.id],
    );
    const socket = await connect(app.url, { token: cem.token });
    expectStatus(await ana.call('DELETE', `/v1/bots/${made.bot.id}`), 204);
    await socket.heard(
      'event',
      ({ conversationId, type }) => conversationId === byAdmin.id && type === 'members.changed',
    );
    const bot = { [made.bot.id]: 'member' };
    assert.deepEqual(await rolesIn(ben, both.id), { [ana.id]: 'owner', [ben.id]: 'member', ...bot });
    assert.deepEqual(await rolesIn(ben, byOwner.id), { [ana.id]: 'owner', [ben.id]: 'member', ...bot });
    assert.deepEqual(await rolesIn(ben, byAdmin.id), { [cem.id]: 'owner', [ben.id]: 'member', ...bot });
    assert.deepEqual(await rolesIn(ben, byMember.id), { [cem.id]: 'owner', [ben.id]: 'member', ...bot });
    expectStatus(await cem.call('DELETE', `/v1/conversations/${byAdmin.id}/members/${made.bot.id}`), 204);
    socket.close();
  });

  it('one that was ended is brought back by nobody', async () => {
    const [ana, olga] = [await registerPerson(app, 'Ana'), await admin()];
    const { bot } = await make(ana);
    expectStatus(await ana.call('DELETE', `/v1/bots/${bot.id}`), 204);
    for (const how of ['reactivate', 'suspend'])
      expectProblem(await olga.call('POST', `/v1/admin/users/${bot.id}/${how}`), 409, 'bot_ended');
    await assert.rejects(reactivateUser(deps(), operator, bot.id), { code: 'bot_ended' });
    const { rows } = await db.query('select status from users where id = $1', [bot.id]);
    assert.deepEqual(rows, [{ status: 'ended' }]);
    await assert.rejects(db.query(`update users set status = 'ended' where id = $1`, [ana.id]), /users_status_check/);
  });

  describe('one that was ended owns nothing', () => {
    /** A group of Ana’s that her bot and Ben belong to. */
    async function groupWithBot() {
      const [ana, ben] = [await registerPerson(app, 'Ana'), await registerPerson(app, 'Ben')];
      const { bot } = await make(ana);
      const { id } = await makeGroup(ana, [ben]);
      expectStatus(await ana.call('POST', `/v1/conversations/${id}/members`, { userIds: [bot.id] }), 200);
      const end = () => ana.call('DELETE', `/v1/bots/${bot.id}`);
      const handOvers = {
        'by a change of role': () => ana.call('PATCH', `/v1/conversations/${id}/members/${bot.id}`, { role: 'owner' }),
        'by a transfer': () => ana.call('POST', `/v1/conversations/${id}/transfer`, { userId: bot.id }),
      };
      const owners = async () => {
        const text = `select user_id as id from members where conversation_id = $1 and role = 'owner' and left_at is null`;
        return (await db.query<{ id: string }>(text, [id])).rows.map((row) => row.id);
      };
      return { ana, bot, end, handOvers, owners };
    }

    for (const way of ['by a change of role', 'by a transfer'] as const) {
      it(`and is handed nothing ${way}`, async () => {
        const { ana, end, handOvers, owners } = await groupWithBot();
        expectStatus(await end(), 204);
        expectProblem((await handOvers[way]()) as never, 409, 'bot_ended');
        assert.deepEqual(await owners(), [ana.id]);
      });

      it(`nor is it ${way} at the same moment, whichever comes first`, async () => {
        const meeting = await openMeeting(app);
        for (const first of ['end', 'hand over']) {
          const { ana, bot, end, handOvers, owners } = await groupWithBot();
          const calls = first === 'end' ? [end, handOvers[way]] : [handOvers[way], end];
          const held = 'select from users where id = $1 for update';
          const met = (await meeting.meet(held, bot.id, calls)).map(({ status }) => status);
          assert.deepEqual(met, first === 'end' ? [204, 409] : [204, 204]);
          assert.deepEqual(await owners(), [ana.id]);
        }
        await meeting.close();
      });
    }
  });

  it('one that an admin suspended stands in its owner’s list, comes back, and can be ended', async () => {
    const [ana, olga] = [await registerPerson(app, 'Ana'), await admin()];
    const made = await make(ana);
    const listed = async () =>
      expectStatus(await ana.call<{ items: Bot[] }>('GET', '/v1/bots'), 200).items.map(({ id, status }) => [
        id,
        status,
      ]);
    const { id } = made.bot;
    expectStatus(await olga.call('POST', `/v1/admin/users/${id}/suspend`), 204);
    assert.deepEqual(await listed(), [[id, 'suspended']]);
    expectProblem(await as(made, 'GET', '/v1/me'), 401, 'session_revoked');
    expectProblem(await ana.call('POST', `/v1/bots/${id}/tokens`, token()), 403, 'forbidden');
    expectStatus(await olga.call('POST', `/v1/admin/users/${id}/reactivate`), 204);
    assert.deepEqual(await listed(), [[id, 'active']]);
    expectStatus(await ana.call('POST', `/v1/bots/${id}/tokens`, token()), 201);
    expectStatus(await olga.call('POST', `/v1/admin/users/${id}/suspend`), 204);
    expectStatus(await ana.call('DELETE', `/v1/bots/${id}`), 204);
    assert.deepEqual(await listed(), []);
  });

  it('its owner gives it further tokens, and ends each', async () => {
    const ana = await registerPerson(app, 'Ana');
    const first = await make(ana);
    const path = `/v1/bots/${first.bot.id}/tokens`;
    const second = expectStatus(await ana.call<TokenMade>('POST', path, token(['profile:read'])), 201);
    expectStatus(await ana.call('DELETE', `/v1/me/tokens/${first.accessToken.id}`), 204);
    expectProblem(await as(first, 'GET', '/v1/me'), 401, 'session_revoked');
    expectStatus(await as(second, 'GET', '/v1/me'), 200);
    const { items } = expectStatus(await ana.call<{ items: AccessToken[] }>('GET', path), 200);
    assert.deepEqual(
      items.map(({ id }) => id),
      [second.accessToken.id],
    );
    const mine = expectStatus(await ana.call<{ items: AccessToken[] }>('GET', '/v1/me/tokens'), 200);
    assert.deepEqual(mine.items, []);
  });

  it('of fifty that are asked for at once, as many are made as there may be', async () => {
    const ana = await registerPerson(app, 'Ana');
    const body = { displayName: 'Robot', token: token() };
    const answers = await Promise.all(Array.from({ length: 50 }, () => ana.call('POST', '/v1/bots', body)));
    assert.equal(answers.filter(({ status }) => status === 201).length, limits.botsPerUser);
    for (const answer of answers.filter(({ status }) => status !== 201)) expectProblem(answer, 409, 'limit_reached');
  });

  it('it stops with its owner, whoever changed the row, and comes back by a new token alone', async () => {
    const ana = await registerPerson(app, 'Ana');
    const first = await make(ana);
    const socket = await connect(app.url, { token: first.token });
    await suspendUser(deps(), operator, ana.id as UserId);
    await socket.heard('notice', ({ code }) => code === 'session_revoked');
    expectProblem(await as(first, 'GET', '/v1/me'), 401, 'session_revoked');
    // As if it had been made in that very moment.
    const late = newToken();
    await db.query(
      `insert into access_tokens (user_id, id, token_hash, name, scopes, created_at, expires_at)
       values ($1, gen_random_uuid(), $2, 'Late', '{messages:read,profile:read}', now(), now() + interval '1 day')`,
      [first.bot.id, hashToken(late)],
    );
    expectProblem(await as({ ...first, token: late }, 'GET', '/v1/me'), 401, 'session_revoked');
    await assert.rejects(connect(app.url, { token: late }), /session_revoked/);
    await reactivateUser(deps(), operator, ana.id as UserId);
    expectProblem(await as(first, 'GET', '/v1/me'), 401, 'session_revoked');
  });
});

describe('what a bot has not read', () => {
  let hand: ByHand;
  before(async () => {
    hand = await attentionByHand();
  });
  after(() => hand.close());

  it('escalates to nobody, and support sees why', async () => {
    const { ana, bob } = await hand.pair();
    await hand.app.database.run(`update users set role = 'support' where id = '${ana.id}'`);
    const body = { displayName: 'Robot', token: { name: 'First', scopes: scopeNames } };
    const { bot } = expectStatus(await ana.call<BotMade>('POST', '/v1/bots', body), 201);
    const { id } = await makeGroup(ana, [bob]);
    expectStatus(await ana.call('POST', `/v1/conversations/${id}/members`, { userIds: [bot.id] }), 200);
    const message = await send(ana, id, 'Anybody?');
    while ((await hand.arm()) > 0);
    const armed = await hand.rows<{ id: string }>('select user_id as id from armed where conversation_id = $1', id);
    assert.deepEqual(armed, [{ id: bob.id }]);
    const path = `/v1/admin/messages/${message.id}/why?userId=${bot.id}`;
    const { terminal } = expectStatus(await ana.call<Why>('GET', path), 200);
    assert.equal(terminal.reason, 'bot');
  });
});
