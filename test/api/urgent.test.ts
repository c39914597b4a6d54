import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { limits } from '../../contracts/limits.ts';
import { type Person, makeDirect, makeGroup, registerPeople, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';

describe('urgent messages', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({ processes: [['api'], ['api']] });
  });
  after(() => app.stop());

  const urgent = (by: Person, id: string, extra: Record<string, unknown> = {}, url = app.url) =>
    call(url, 'POST', `/v1/conversations/${id}/messages`, {
      token: by.token,
      body: { clientId: randomUUIDv7(), text: 'now!', priority: 'urgent', ...extra },
    });
  const sendUrgent = async (by: Person, id: string, times: number) => {
    for (let n = 0; n < times; n += 1) expectStatus(await urgent(by, id), 201);
  };
  const age = (person: Person, minutes: number, which = '') =>
    app.database.run(
      `update urgent_sends set at = at - interval '${minutes} minutes' where user_id = '${person.id}' ${which}`,
    );
  const oldest = (person: Person) => `and at = (select min(at) from urgent_sends where user_id = '${person.id}')`;

  it('are a few a day, and a plain one goes through all the same; a repeat of one costs nothing', async () => {
    const person = await registerPerson(app);
    const { id } = await makeGroup(person, []);
    const first = { clientId: randomUUIDv7() };
    expectStatus(await urgent(person, id, first), 201);
    for (let n = 0; n < 3; n += 1) expectStatus(await urgent(person, id, first), 200);
    await sendUrgent(person, id, limits.urgentPerDay - 1);
    const refused = await urgent(person, id);
    expectProblem(refused, 429, 'urgent_limit');
    assert.ok(Number(refused.headers.get('retry-after')) > 3_000);
    expectStatus(await urgent(person, id, first), 200);
    expectProblem(await urgent(person, id, { ...first, text: 'other' }), 409, 'idempotency_conflict');
    await send(person, id, 'plain');
  });

  it('that are refused cost nothing', async () => {
    const [person, other] = await registerPeople(app, 'Person', 'Other');
    const [mine, foreign, read] = [
      await makeGroup(person, []),
      await makeGroup(other, []),
      await makeGroup(other, [person]),
    ];
    const role = { role: 'read_only' };
    expectStatus(await other.call('PATCH', `/v1/conversations/${read.id}/members/${person.id}`, role), 204);
    const mentions = [{ type: 'user', userId: other.id, offset: 0, length: 3 }];
    for (let n = 0; n < limits.urgentPerDay; n += 1) {
      expectProblem(await urgent(person, foreign.id), 404, 'not_found');
      expectProblem(await urgent(person, read.id), 403, 'forbidden');
      for (const wrong of [{ replyTo: randomUUIDv7() }, { threadId: randomUUIDv7() }, { mentions }])
        expectProblem(await urgent(person, mine.id, wrong), 400, 'invalid_input');
    }
    await sendUrgent(person, mine.id, limits.urgentPerDay);
    expectProblem(await urgent(person, mine.id), 429, 'urgent_limit');
  });

  it('when several are sent at once, over two nodes, then no more are stored than are left', async () => {
    const person = await registerPerson(app);
    const groups = [await makeGroup(person, []), await makeGroup(person, [])];
    await sendUrgent(person, groups[0]?.id ?? '', limits.urgentPerDay - 1);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) => urgent(person, groups[n % 2]?.id ?? '', {}, app.urls[n % 3 ? 0 : 1])),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array<number>(7).fill(429)]);
  });

  it('when the same one is sent twice at once, then one is stored and one is spent', async () => {
    const person = await registerPerson(app);
    const { id } = await makeGroup(person, []);
    const same = { clientId: randomUUIDv7() };
    const answers = await Promise.all(app.urls.map((url) => urgent(person, id, same, url)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 201]);
    await sendUrgent(person, id, limits.urgentPerDay - 1);
    expectProblem(await urgent(person, id), 429, 'urgent_limit');
  });

  it('are counted over any 24 hours, not the calendar’s', async () => {
    const person = await registerPerson(app);
    const { id } = await makeGroup(person, []);
    await sendUrgent(person, id, limits.urgentPerDay);
    await age(person, 24 * 60 - 1);
    const refused = await urgent(person, id);
    expectProblem(refused, 429, 'urgent_limit');
    assert.ok(Number(refused.headers.get('retry-after')) <= 60);
    await age(person, 1, oldest(person));
    expectStatus(await urgent(person, id), 201);
    expectProblem(await urgent(person, id), 429, 'urgent_limit');
  });

  describe('to one recipient', () => {
    it('are fewer, over all conversations that the two share, and others still get theirs', async () => {
      const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
      const [direct, group, others] = [
        await makeDirect(ana, bob),
        await makeGroup(ana, [bob, cleo]),
        await makeGroup(ana, [cleo]),
      ];
      await sendUrgent(ana, direct.id, limits.urgentPerRecipient - 1);
      await sendUrgent(ana, group.id, 1);
      for (const { id } of [direct, group]) {
        const refused = await urgent(ana, id);
        expectProblem(refused, 429, 'urgent_limit');
        assert.ok(Number(refused.headers.get('retry-after')) > 80_000);
      }
      await sendUrgent(ana, others.id, limits.urgentPerRecipient - 2);
      await sendUrgent(bob, direct.id, 1);
      await age(ana, 24 * 60, oldest(ana));
      await sendUrgent(ana, group.id, 1);
      expectProblem(await urgent(ana, direct.id), 429, 'urgent_limit');
    });

    it('are not counted for who has left, and tell nobody else who belongs to a conversation', async () => {
      const [ana, bob, eve] = await registerPeople(app, 'Ana', 'Bob', 'Eve');
      const [direct, group, foreign] = [
        await makeDirect(ana, bob),
        await makeGroup(ana, [bob]),
        await makeGroup(eve, [bob]),
      ];
      await sendUrgent(ana, direct.id, limits.urgentPerRecipient);
      expectProblem(await urgent(ana, group.id), 429, 'urgent_limit');
      expectProblem(await urgent(ana, foreign.id), 404, 'not_found');
      expectStatus(await bob.call('POST', `/v1/conversations/${group.id}/leave`), 204);
      await sendUrgent(ana, group.id, 1);
    });
  });
});
