import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type {
  Ban,
  Conversation,
  EventsAfter,
  Invite,
  Member,
  Message,
  OpenChannel,
  SyncResponse,
} from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import {
  type Person,
  makeChannel,
  makeDirect,
  makeGroup,
  registerPeople,
  registerPerson,
  send,
} from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { holdNext } from '../support/held.ts';
import { type Answer, expectProblem, expectStatus } from '../support/rest.ts';

byEachDoor('members', (door) => {
  let app: TestApp & Entrance;
  let ana: Person;
  let bob: Person;
  let cleo: Person;
  before(async () => {
    app = by(door, await startApp());
    [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
  });
  after(() => app.stop());

  const at = (id: string, rest = '') => `/v1/conversations/${id}${rest}`;
  const add = (by: Person, id: string, people: Person[], role?: string) =>
    by.call<Conversation>('POST', at(id, '/members'), {
      userIds: people.map((person) => person.id),
      ...(role ? { role } : {}),
    });
  const setRole = (by: Person, id: string, person: Person, role: string) =>
    by.call('PATCH', at(id, `/members/${person.id}`), { role });
  const rolesOf = async (by: Person, id: string) => {
    const { items } = expectStatus(await by.call<{ items: Member[] }>('GET', at(id, '/members')), 200);
    return Object.fromEntries(items.map(({ displayName, role }) => [displayName, role]));
  };
  const history = async (by: Person, id: string) =>
    expectStatus(await by.call<{ items: Message[] }>('GET', at(id, '/messages')), 200).items;
  const texts = (messages: Message[]) => messages.flatMap(({ text }) => text ?? []);
  const post = (by: Person, id: string, text: string, extra: object = {}): Promise<Answer<{ message: Message }>> =>
    by.call('POST', at(id, '/messages'), { clientId: randomUUIDv7(), text, ...extra });

  describe('adding', () => {
    it('makes people members with a role, tells it in the timeline, and counts them once', async () => {
      const group = await makeGroup(ana, [bob]);
      const grown = expectStatus(await add(ana, group.id, [cleo], 'read_only'), 200);
      assert.equal(grown.memberCount, 3);
      assert.equal(expectStatus(await add(ana, group.id, [cleo, bob]), 200).memberCount, 3);
      assert.deepEqual(await rolesOf(bob, group.id), { Ana: 'owner', Bob: 'member', Cleo: 'read_only' });
      const [line, ...more] = await history(bob, group.id);
      assert.deepEqual(more, []);
      assert.deepEqual(line?.system, {
        type: 'members.added',
        members: [{ userId: cleo.id, role: 'read_only' }],
        memberCount: 3,
      });
      expectProblem(await post(cleo, group.id, 'may I?'), 403, 'forbidden');
    });

    it('is for owners and admins, and nobody makes an owner or their equal', async () => {
      const group = await makeGroup(ana, [bob]);
      expectProblem(await add(bob, group.id, [cleo]), 403, 'forbidden');
      expectStatus(await setRole(ana, group.id, bob, 'admin'), 204);
      expectProblem(await add(bob, group.id, [cleo], 'admin'), 403, 'forbidden');
      expectStatus(await add(bob, group.id, [cleo]), 200);
    });

    it('names those who cannot be added', async () => {
      const group = await makeGroup(ana, []);
      const answer = await ana.call('POST', at(group.id, '/members'), { userIds: [bob.id, randomUUIDv7()] });
      assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['userIds.1']);
      assert.deepEqual(await rolesOf(ana, group.id), { Ana: 'owner' });
    });

    it('is not done to a direct conversation', async () => {
      const direct = await makeDirect(ana, bob);
      expectProblem(await add(ana, direct.id, [cleo]), 403, 'forbidden');
    });

    it('takes so many at once and no more', async () => {
      const group = await makeGroup(ana, []);
      const userIds = Array.from({ length: limits.membersPerCall + 1 }, () => randomUUIDv7());
      const tooMany = await ana.call('POST', at(group.id, '/members'), { userIds });
      assert.deepEqual(expectProblem(tooMany, 400, 'invalid_input'), ['userIds']);
      const nobody = await ana.call('POST', at(group.id, '/members'), { userIds: userIds.slice(1) });
      assert.equal(expectProblem(nobody, 400, 'invalid_input').length, limits.membersPerCall);
    });

    it('shows who comes later everything, or what comes from then on, as the group says', async () => {
      const [open, fresh] = [await makeGroup(ana, [bob], 'open'), await makeGroup(ana, [bob], 'fresh')];
      expectStatus(await ana.call('PATCH', at(fresh.id), { history: 'joining' }), 200);
      for (const group of [open, fresh]) {
        const early = await send(ana, group.id, 'early');
        expectStatus(await add(ana, group.id, [cleo]), 200);
        await send(ana, group.id, 'late');
        const mayRead = group === open;
        assert.deepEqual(texts(await history(cleo, group.id)), mayRead ? ['early', 'late'] : ['late']);
        const one = await cleo.call('GET', at(group.id, `/messages/${early.id}`));
        assert.equal(one.status, mayRead ? 200 : 404);
        const log = expectStatus(await cleo.call<EventsAfter>('GET', at(group.id, '/events?after=1')), 200);
        assert.equal(log.snapshot, !mayRead);
        if (log.snapshot) assert.deepEqual(texts(log.state.messages), ['late']);
        assert.equal(expectStatus(await cleo.call<Conversation>('GET', at(group.id)), 200).me.unread, 1);
        assert.equal((await post(cleo, group.id, 'about that', { replyTo: early.id })).status, mayRead ? 201 : 400);
      }
    });
  });

  describe('removing and leaving', () => {
    it('ends with the change itself: nothing after it is told, and nothing is there any more', async () => {
      const group = await makeGroup(ana, [bob, cleo]);
      await send(ana, group.id, 'before');
      expectStatus(await ana.call('DELETE', at(group.id, `/members/${bob.id}`)), 204);
      await send(ana, group.id, 'after');
      for (const path of ['', '/messages', '/members', '/events?after=0']) {
        expectProblem(await bob.call('GET', at(group.id, path)), 404, 'not_found');
      }
      expectProblem(await post(bob, group.id, 'hello?'), 404, 'not_found');
      const { changes } = expectStatus(
        await bob.call<SyncResponse>('POST', '/v1/sync', { known: [[group.id, 2]] }),
        200,
      );
      const [lost] = changes.filter(({ conversationId }) => conversationId === group.id);
      assert.equal(lost?.how, 'lost');
      assert.deepEqual(
        lost?.events.map(({ type, version }) => [type, version]),
        [['members.removed', 3]],
      );
      assert.deepEqual(await rolesOf(ana, group.id), { Ana: 'owner', Cleo: 'member' });
    });

    it('goes by rank: a member removes nobody, an admin no admin, an owner anybody', async () => {
      const group = await makeGroup(ana, [bob, cleo]);
      expectProblem(await bob.call('DELETE', at(group.id, `/members/${cleo.id}`)), 403, 'forbidden');
      for (const person of [bob, cleo]) expectStatus(await setRole(ana, group.id, person, 'admin'), 204);
      expectProblem(await bob.call('DELETE', at(group.id, `/members/${cleo.id}`)), 403, 'forbidden');
      expectProblem(await bob.call('DELETE', at(group.id, `/members/${ana.id}`)), 403, 'forbidden');
      expectStatus(await ana.call('DELETE', at(group.id, `/members/${cleo.id}`)), 204);
      expectProblem(await ana.call('DELETE', at(group.id, `/members/${cleo.id}`)), 404, 'not_found');
    });

    it('leaves no group without an owner', async () => {
      const group = await makeGroup(ana, [bob]);
      expectProblem(await ana.call('POST', at(group.id, '/leave')), 409, 'last_owner');
      expectProblem(await setRole(ana, group.id, ana, 'member'), 409, 'last_owner');
      expectProblem(await ana.call('DELETE', at(group.id, `/members/${ana.id}`)), 409, 'last_owner');
      expectStatus(await ana.call('POST', at(group.id, '/transfer'), { userId: bob.id }), 204);
      assert.deepEqual(await rolesOf(ana, group.id), { Ana: 'admin', Bob: 'owner' });
      expectStatus(await ana.call('POST', at(group.id, '/leave')), 204);
      expectStatus(await bob.call('POST', at(group.id, '/leave')), 204);
    });

    it('lets two owners who leave at the same moment not both go', async () => {
      const group = await makeGroup(ana, [bob, cleo]);
      expectStatus(await setRole(ana, group.id, bob, 'owner'), 204);
      const answers = await Promise.all([ana, bob].map((one) => one.call('POST', at(group.id, '/leave'))));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 409]);
    });

    it('ends the conversation with the last who go: no code leads into one that nobody owns', async () => {
      const group = await makeGroup(ana, []);
      const { code } = expectStatus(await ana.call<Invite>('POST', at(group.id, '/invites'), {}), 201);
      expectStatus(await ana.call('DELETE', at(group.id, `/members/${ana.id}`)), 204);
      expectProblem(await bob.call('POST', `/v1/invites/${code}/accept`), 404, 'not_found');
      const body = { clientId: randomUUIDv7(), kind: 'channel', title: `Left ${randomUUIDv7()}`, visibility: 'open' };
      const channel = expectStatus(await ana.call<Conversation>('POST', '/v1/conversations', body), 201);
      expectStatus(await ana.call('POST', at(channel.id, '/leave')), 204);
      const listed = await bob.call<{ items: unknown[] }>('GET', `/v1/channels?q=${encodeURIComponent(body.title)}`);
      assert.deepEqual(expectStatus(listed, 200).items, []);
      expectProblem(await bob.call('POST', at(channel.id, '/join')), 404, 'not_found');
    });

    it('is given up by who steps down, and by nobody taken', async () => {
      const group = await makeGroup(ana, [bob]);
      expectStatus(await setRole(ana, group.id, bob, 'admin'), 204);
      expectProblem(await setRole(bob, group.id, bob, 'owner'), 403, 'forbidden');
      expectStatus(await setRole(bob, group.id, bob, 'member'), 204);
      assert.deepEqual(await rolesOf(ana, group.id), { Ana: 'owner', Bob: 'member' });
    });

    it('is nothing that a direct conversation knows', async () => {
      const direct = await makeDirect(ana, await registerPerson(app, 'Dora'));
      expectProblem(await ana.call('POST', at(direct.id, '/leave')), 403, 'forbidden');
    });

    it('lets somebody come back, with what was written in between as the group says', async () => {
      const group = await makeGroup(ana, [bob]);
      expectStatus(await ana.call('PATCH', at(group.id), { history: 'joining' }), 200);
      await send(ana, group.id, 'one');
      expectStatus(await bob.call('POST', at(group.id, '/leave')), 204);
      await send(ana, group.id, 'two');
      expectStatus(await add(ana, group.id, [bob]), 200);
      await send(ana, group.id, 'three');
      assert.deepEqual(texts(await history(bob, group.id)), ['three']);
    });

    it('a send that races with the removal is stored before it or not at all', async () => {
      const group = await makeGroup(ana, [bob]);
      const sends = Array.from({ length: 20 }, (_, n) => post(bob, group.id, `message ${n}`));
      const removal = ana.call('DELETE', at(group.id, `/members/${bob.id}`));
      const answers = await Promise.all(sends);
      expectStatus(await removal, 204);
      const stored = answers.filter(({ status }) => status === 201).length;
      assert.ok(answers.every(({ status }) => status === 201 || status === 404));
      const messages = await history(ana, group.id);
      assert.equal(texts(messages).length, stored);
      const end = messages.find(({ system }) => system?.type === 'members.removed')?.seq ?? 0;
      assert.ok(messages.every(({ senderId, seq }) => senderId !== bob.id || seq < end));
    });
  });

  describe('roles and settings', () => {
    it('are told in the timeline, once for a change', async () => {
      const group = await makeGroup(ana, [bob]);
      expectStatus(await setRole(ana, group.id, bob, 'admin'), 204);
      expectStatus(await setRole(ana, group.id, bob, 'admin'), 204);
      const patch = { title: 'Another', description: 'what it is for' };
      const changed = expectStatus(await bob.call<Conversation>('PATCH', at(group.id), patch), 200);
      assert.deepEqual([changed.title, changed.description], ['Another', 'what it is for']);
      expectStatus(await bob.call('PATCH', at(group.id), patch), 200);
      assert.deepEqual(
        (await history(ana, group.id)).map(({ system }) => system?.type),
        ['members.changed', 'conversation.updated'],
      );
    });

    it('a group for announcements takes messages of owners and admins only', async () => {
      const group = await makeGroup(ana, [bob]);
      expectStatus(await ana.call('PATCH', at(group.id), { posting: 'admins' }), 200);
      const body = { clientId: randomUUIDv7(), kind: 'group', title: 'News', memberIds: [bob.id], posting: 'admins' };
      const news = expectStatus(await ana.call<Conversation>('POST', '/v1/conversations', body), 201);
      expectProblem(await post(bob, news.id, 'may I?'), 403, 'forbidden');
      expectProblem(await post(bob, group.id, 'me too'), 403, 'forbidden');
      expectStatus(await post(ana, group.id, 'hear, hear'), 201);
    });

    it('nor does an edit or a pin of a member’s make an announcement', async () => {
      const group = await makeGroup(ana, [bob]);
      const message = expectStatus(await post(bob, group.id, 'hello'), 201).message;
      expectStatus(await ana.call('PATCH', at(group.id), { posting: 'admins' }), 200);
      const path = `${at(group.id)}/messages/${message.id}`;
      const edit = { clientId: randomUUIDv7(), text: 'all buy now' };
      expectProblem(await bob.call('PATCH', path, edit), 403, 'forbidden');
      expectProblem(await bob.call('PUT', `${path}/pin`), 403, 'forbidden');
      expectStatus(await ana.call('PUT', `${path}/pin`), 204);
      expectStatus(await bob.call('DELETE', path), 200);
    });

    it('are not for members, and a group cannot be open', async () => {
      const group = await makeGroup(ana, [bob]);
      expectProblem(await bob.call('PATCH', at(group.id), { title: 'Mine' }), 403, 'forbidden');
      const open = await ana.call('PATCH', at(group.id), { visibility: 'open' });
      assert.deepEqual(expectProblem(open, 400, 'invalid_input'), ['visibility']);
      const title = await ana.call('PATCH', at(group.id), { title: 'x'.repeat(limits.titleLength + 1) });
      assert.deepEqual(expectProblem(title, 400, 'invalid_input'), ['title']);
      expectStatus(await ana.call('PATCH', at(group.id), { title: 'x'.repeat(limits.titleLength) }), 200);
      const long = { description: 'x'.repeat(limits.descriptionLength + 1) };
      assert.deepEqual(expectProblem(await ana.call('PATCH', at(group.id), long), 400, 'invalid_input'), [
        'description',
      ]);
      expectStatus(await ana.call('PATCH', at(group.id), { description: 'x'.repeat(limits.descriptionLength) }), 200);
    });

    it('change for one of two who saw the same version, and whatever else was written meanwhile is no hindrance', async () => {
      const { id } = await makeGroup(ana, [bob]);
      const etagOf = ({ headers }: Answer<unknown>) => headers.get('etag') ?? '';
      const change = (title: string, etag: string) =>
        ana.call<Conversation>('PATCH', at(id), { title }, { 'if-match': etag });
      const seen = etagOf(await ana.call('GET', at(id)));
      await send(bob, id, 'something else');
      const answers = await Promise.all([change('One', seen), change('Two', seen)]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412]);
      const [won] = answers.filter(({ status }) => status === 200);
      assert.equal(etagOf(won as Answer<Conversation>), `"${won?.body.version}"`);
      const { title } = expectStatus(await ana.call<Conversation>('GET', at(id)), 200);
      assert.equal(title, won?.body.title);
      // Nothing is changed by who is refused, also where it would be no change.
      expectProblem(await change(title ?? '', seen), 412, 'precondition_failed');
      expectStatus(await change('Three', etagOf(won as Answer<Conversation>)), 200);
    });

    it('refuse a version that nobody has seen yet, or so long ago that it says nothing', async () => {
      const { id, version } = await makeGroup(ana, [bob]);
      const change = (seen: number) => ana.call('PATCH', at(id), { title: 'Ops' }, { 'if-match': `"${seen}"` });
      expectProblem(await change(version + 1), 412, 'precondition_failed');
      const ids = Array.from({ length: limits.catchUpEvents }, (_, n) => `message ${n}`);
      await Promise.all(ids.map((text) => post(ana, id, text)));
      expectStatus(await change(version), 200);
      await post(ana, id, 'one more');
      expectProblem(await change(version), 412, 'precondition_failed');
    });

    it('ends for everybody when its owner deletes it', async () => {
      const group = await makeGroup(ana, [bob]);
      expectProblem(await bob.call('DELETE', at(group.id)), 403, 'forbidden');
      expectStatus(await ana.call('DELETE', at(group.id)), 204);
      for (const person of [ana, bob]) expectProblem(await person.call('GET', at(group.id)), 404, 'not_found');
      const { changes } = expectStatus(
        await bob.call<SyncResponse>('POST', '/v1/sync', { known: [[group.id, 1]] }),
        200,
      );
      const [last] = changes.find(({ conversationId }) => conversationId === group.id)?.events ?? [];
      assert.equal(last?.type === 'members.removed' && last.data.how, 'conversation_deleted');
    });
  });

  describe('invitations', () => {
    const invite = async (by: Person, id: string, body: object = {}) =>
      expectStatus(await by.call<Invite>('POST', at(id, '/invites'), body), 201);
    const accept = (person: Person, code: string) => person.call<Conversation>('POST', `/v1/invites/${code}/accept`);

    it('let people in so many times, and a member uses nothing up', async () => {
      const group = await makeGroup(ana, []);
      const { code } = await invite(ana, group.id, { maxUses: 1 });
      assert.equal(expectStatus(await accept(bob, code), 200).id, group.id);
      expectProblem(await accept(cleo, code), 404, 'not_found');
      // The answer may have been lost: who has come in by it is not told that it is worth nothing.
      assert.equal(expectStatus(await accept(bob, code), 200).id, group.id);
      const many = await invite(ana, group.id, { maxUses: 2 });
      expectStatus(await accept(bob, many.code), 200);
      const { items } = expectStatus(await ana.call<{ items: Invite[] }>('GET', at(group.id, '/invites')), 200);
      assert.deepEqual(
        items.map(({ id, uses }) => [id, uses]),
        [[many.id, 0]],
      );
    });

    it('of two who take the last use at the same moment one gets in', async () => {
      const group = await makeGroup(ana, []);
      const { code } = await invite(ana, group.id, { maxUses: 1 });
      const answers = await Promise.all([bob, cleo].map((person) => accept(person, code)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 404]);
      assert.equal(Object.keys(await rolesOf(ana, group.id)).length, 2);
    });

    it('are worth nothing once they are taken back or have run out', async () => {
      const group = await makeGroup(ana, []);
      const back = await invite(ana, group.id);
      expectStatus(await ana.call('DELETE', at(group.id, `/invites/${back.id}`)), 204);
      expectProblem(await ana.call('DELETE', at(group.id, `/invites/${back.id}`)), 404, 'not_found');
      expectProblem(await accept(bob, back.code), 404, 'not_found');
      const short = await invite(ana, group.id, { expiresInSeconds: 60 });
      assert.ok(Math.abs(Date.parse(short.expiresAt ?? '') - Date.now() - 60_000) < 10_000);
      await app.database.run(`update invites set expires_at = now() where id = '${short.id}'`);
      expectProblem(await accept(bob, short.code), 404, 'not_found');
    });

    it('are good for seven days and for everybody, when nothing is said', async () => {
      const { id } = await makeGroup(ana, []);
      const { expiresAt, createdAt, maxUses } = await invite(ana, id);
      const seconds = (Date.parse(expiresAt ?? '') - Date.parse(createdAt)) / 1_000;
      assert.ok(Math.abs(seconds - limits.inviteSecondsByDefault) < 10);
      assert.equal(maxUses, null);
    });

    it('are made once a maker and clientId, however often and at whatever moment it is asked for', async () => {
      const group = await makeGroup(ana, [bob]);
      expectStatus(await setRole(ana, group.id, bob, 'admin'), 204);
      const content = { clientId: randomUUIDv7(), maxUses: 2 };
      const make = (by: Person, more: object = {}) =>
        by.call<Invite>('POST', at(group.id, '/invites'), { ...content, ...more });
      const answers = await Promise.all([make(ana), make(ana)]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 201]);
      const [one, same] = answers.map(({ body }) => body);
      assert.deepEqual(one, same);
      expectProblem(await make(ana, { maxUses: 3 }), 409, 'idempotency_conflict');
      expectProblem(await make(ana, { expiresInSeconds: 60 }), 409, 'idempotency_conflict');
      assert.notEqual(expectStatus(await make(bob), 201).code, one?.code);
      expectStatus(await accept(cleo, one?.code ?? ''), 200);
      assert.deepEqual(expectStatus(await make(ana), 200), { ...one, uses: 1 });
      for (let n = 2; n < limits.invitesPerConversation; n += 1) await invite(ana, group.id);
      expectStatus(await make(ana), 200);
      expectStatus(await ana.call('DELETE', at(group.id, `/invites/${one?.id}`)), 204);
      expectStatus(await make(ana), 200);
      expectProblem(await accept(await registerPerson(app, 'Dan'), one?.code ?? ''), 404, 'not_found');
    });

    it('are made by owners and admins, within their bounds', async () => {
      const group = await makeGroup(ana, [bob]);
      expectProblem(await bob.call('POST', at(group.id, '/invites'), {}), 403, 'forbidden');
      expectProblem(await bob.call('GET', at(group.id, '/invites')), 403, 'forbidden');
      const channel = await makeChannel(ana);
      const { groupMembers, channelMembers, inviteSeconds } = limits;
      const refused: [string, object][] = [
        [group.id, { maxUses: 0 }],
        [group.id, { maxUses: groupMembers + 1 }],
        [channel.id, { maxUses: channelMembers + 1 }],
        [group.id, { expiresInSeconds: 59 }],
        [group.id, { expiresInSeconds: inviteSeconds + 1 }],
      ];
      for (const [id, body] of refused) {
        const answer = await ana.call('POST', at(id, '/invites'), body);
        assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), Object.keys(body));
      }
      assert.equal((await invite(ana, channel.id, { maxUses: channelMembers })).maxUses, channelMembers);
      await invite(ana, group.id, { maxUses: groupMembers, expiresInSeconds: inviteSeconds });
      for (let n = 1; n < limits.invitesPerConversation; n += 1) await invite(ana, group.id);
      expectProblem(await ana.call('POST', at(group.id, '/invites'), {}), 409, 'limit_reached');
    });
  });

  describe('bans', () => {
    it('remove somebody and keep them out, by whatever door', async () => {
      const channel = await makeChannel(ana, { visibility: 'open', memberIds: [bob.id] });
      const { code } = expectStatus(await ana.call<Invite>('POST', at(channel.id, '/invites'), {}), 201);
      expectStatus(await ana.call('PUT', at(channel.id, `/bans/${bob.id}`)), 204);
      expectProblem(await bob.call('GET', at(channel.id)), 404, 'not_found');
      expectProblem(await bob.call('POST', at(channel.id, '/join')), 404, 'not_found');
      expectProblem(await bob.call('POST', `/v1/invites/${code}/accept`), 404, 'not_found');
      const again = await add(ana, channel.id, [bob]);
      assert.deepEqual(expectProblem(again, 400, 'invalid_input'), ['userIds.0']);
      const { items } = expectStatus(await ana.call<{ items: Ban[] }>('GET', at(channel.id, '/bans')), 200);
      assert.deepEqual(
        items.map(({ userId, bannedBy }) => [userId, bannedBy]),
        [[bob.id, ana.id]],
      );
      expectStatus(await ana.call('DELETE', at(channel.id, `/bans/${bob.id}`)), 204);
      expectStatus(await bob.call('POST', at(channel.id, '/join')), 200);
    });

    it('go by rank, and nobody bans themselves', async () => {
      const group = await makeGroup(ana, [bob]);
      expectProblem(await bob.call('PUT', at(group.id, `/bans/${ana.id}`)), 403, 'forbidden');
      expectProblem(await ana.call('PUT', at(group.id, `/bans/${ana.id}`)), 403, 'forbidden');
      expectProblem(await ana.call('PUT', at(group.id, `/bans/${randomUUIDv7()}`)), 404, 'not_found');
    });
  });

  describe('channels', () => {
    it('that are open are found by their title and joined by anybody', async () => {
      const word = `Zebra${randomUUIDv7().slice(-8)}`;
      const open = await makeChannel(ana, { visibility: 'open', title: `${word} one` });
      await makeChannel(ana, { title: `${word} two` });
      const found = async (person: Person, q: string) =>
        expectStatus(await person.call<{ items: OpenChannel[] }>('GET', `/v1/channels?q=${q}`), 200).items;
      assert.deepEqual(
        (await found(bob, word.toLowerCase())).map(({ id, joined, memberCount }) => [id, joined, memberCount]),
        [[open.id, false, 1]],
      );
      assert.deepEqual(await found(bob, '%25'), []);
      const joined = expectStatus(await bob.call<Conversation>('POST', at(open.id, '/join')), 200);
      assert.equal(joined.memberCount, 2);
      expectStatus(await bob.call('POST', at(open.id, '/join')), 200);
      assert.equal((await found(bob, word))[0]?.joined, true);
    });

    it('that are not open cannot be joined and look as if they were not there', async () => {
      const closed = await makeChannel(ana);
      const group = await makeGroup(ana, []);
      for (const id of [closed.id, group.id, randomUUIDv7()]) {
        expectProblem(await bob.call('POST', at(id, '/join')), 404, 'not_found');
      }
    });

    it('page through titles whose small letters the database and JavaScript see differently', async () => {
      const word = `İstanbul ẞ Σ ${randomUUIDv7().slice(-8)}`;
      const made = [];
      for (const n of [1, 2, 3]) made.push(await makeChannel(ana, { visibility: 'open', title: `${word} ${n}` }));
      const seen: string[] = [];
      for (let cursor: string | null = ''; cursor !== null && seen.length <= made.length; ) {
        const query = `q=${encodeURIComponent(word)}&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`;
        const page: { items: OpenChannel[]; nextCursor: string | null } = expectStatus(
          await bob.call('GET', `/v1/channels?${query}`),
          200,
        ) as never;
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      }
      assert.deepEqual(
        seen,
        made.map(({ id }) => id),
      );
    });

    it('page through their list', async () => {
      const word = `Quagga${randomUUIDv7().slice(-8)}`;
      for (const n of [3, 1, 2]) await makeChannel(ana, { visibility: 'open', title: `${word} ${n}` });
      const titles: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const query = `q=${word}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`;
        const page: { items: OpenChannel[]; nextCursor: string | null } = expectStatus(
          await bob.call('GET', `/v1/channels?${query}`),
          200,
        ) as never;
        titles.push(...page.items.map(({ title }) => title));
        cursor = page.nextCursor;
      }
      assert.deepEqual(
        titles,
        [1, 2, 3].map((n) => `${word} ${n}`),
      );
    });

    it('show no line for who comes and goes, tell no receipts, and call everybody by right only', async () => {
      const channel = await makeChannel(ana, { visibility: 'open' });
      const dora = await registerPerson(app, 'Dora');
      expectStatus(await dora.call('POST', at(channel.id, '/join')), 200);
      assert.deepEqual(await history(ana, channel.id), []);
      const message = await send(ana, channel.id, 'news');
      expectStatus(await dora.call('PUT', at(channel.id, '/receipts'), { readSeq: message.seq }), 200);
      const { items } = expectStatus(await ana.call<{ items: Member[] }>('GET', at(channel.id, '/members')), 200);
      assert.ok(items.every(({ deliveredSeq, readSeq }) => deliveredSeq === null && readSeq === null));
      expectProblem(await ana.call('GET', at(channel.id, `/messages/${message.id}/receipts`)), 403, 'forbidden');
      const everyone = [{ type: 'everyone', offset: 0, length: 3 }];
      expectProblem(await post(dora, channel.id, 'all!', { mentions: everyone }), 403, 'forbidden');
      expectStatus(await post(ana, channel.id, 'all!', { mentions: everyone }), 201);
    });
  });

  describe('whose membership changes while they read', () => {
    const reading = async (path: string, meanwhile: (id: string) => Promise<void>) => {
      const group = await makeGroup(ana, [bob]);
      const { id } = await send(ana, group.id, 'hello');
      expectStatus(await ana.call('PUT', `/v1/conversations/${group.id}/messages/${id}/pin`), 204);
      await send(bob, group.id, 'hello to you', { threadId: id });
      const held = holdNext(app.processes[0], 'membership-of');
      const answer = bob.call<{ items: Message[] }>('GET', `/v1/conversations/${group.id}/${path}`);
      await held.begun;
      await meanwhile(group.id);
      held.release();
      return answer;
    };
    const remove = async (id: string) =>
      void expectStatus(await ana.call('DELETE', `/v1/conversations/${id}/members/${bob.id}`), 204);
    const add = async (id: string) =>
      void expectStatus(await ana.call('POST', `/v1/conversations/${id}/members`, { userIds: [bob.id] }), 200);

    for (const path of ['messages', 'pins', 'threads']) {
      it(`are told that they are gone, and not that there is nothing: ${path}`, async () => {
        expectProblem(await reading(path, remove), 404, 'not_found');
      });
    }

    it('read what they may now, when they have come back meanwhile', async () => {
      const answer = await reading('messages', async (id) => {
        await remove(id);
        await add(id);
      });
      assert.ok(expectStatus(answer, 200).items.some(({ text }) => text === 'hello'));
    });
  });

  it('are at most so many in a group', async () => {
    const group = await makeGroup(ana, [bob]);
    await app.database.run(
      `update conversations set member_count = ${limits.groupMembers - 1} where id = '${group.id}'`,
    );
    const dora = await registerPerson(app, 'Dora');
    expectStatus(await add(ana, group.id, [cleo]), 200);
    expectProblem(await add(ana, group.id, [dora]), 409, 'limit_reached');
  });
});
