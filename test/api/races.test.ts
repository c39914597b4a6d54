import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type { Conversation, Message, Receipt } from '../../contracts/entities/index.ts';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Meeting, openMeeting } from '../support/meeting.ts';
import { type Answer, call, expectStatus } from '../support/rest.ts';

/**
 * What only the one statement of a send can judge: two nodes meet at a conversation whose row is held, so that both have
 * looked before either has written.
 */
describe('two nodes at the same moment', () => {
  let app: TestApp;
  let meeting: Meeting;
  let people: readonly [Person, Person];
  before(async () => {
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
    });
    meeting = await openMeeting(app);
    people = await registerPeople(app, 'Ana', 'Bob');
  });
  after(async () => {
    await meeting.close();
    await app.stop();
  });

  const meet = <Met>({ id }: Conversation, calls: readonly (() => Promise<Met>)[]): Promise<Met[]> =>
    meeting.meet('select from conversations where id = $1 for update', id, calls);

  const post = (person: Person, { id }: Conversation, node: 0 | 1, body: object = newMessage()) =>
    call<{ message: Message }>(app.urls[node] ?? '', 'POST', `/v1/conversations/${id}/messages`, {
      ...{ token: person.token, body },
    });
  const newMessage = () => ({ clientId: randomUUIDv7(), text: 'hello' });
  const seqsOf = async (person: Person, { id }: Conversation) =>
    expectStatus(await person.call<{ items: Message[] }>('GET', `/v1/conversations/${id}/messages`), 200).items.map(
      ({ seq }) => seq,
    );

  it('the same send over both is stored once, and both get the first message', async () => {
    const [ana, bob] = people;
    const group = await makeGroup(ana, [bob]);
    const body = newMessage();
    const answers = await meet(group, [() => post(ana, group, 0, body), () => post(ana, group, 1, body)]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 201]);
    assert.equal(new Set(answers.map((answer) => answer.body.message.id)).size, 1);
    assert.deepEqual(await seqsOf(ana, group), [1]);
  });

  it('two sends take two numbers, whichever of them looked first', async () => {
    const [ana, bob] = people;
    const group = await makeGroup(ana, [bob]);
    const answers = await meet(group, [() => post(ana, group, 0), () => post(bob, group, 1)]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201],
    );
    assert.deepEqual(await seqsOf(ana, group), [1, 2]);
  });

  it('a send that was allowed when it looked stores nothing behind the removal of its sender', async () => {
    const [ana, bob] = people;
    const group = await makeGroup(ana, [bob]);
    const remove = () => ana.call<never>('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`);
    const [removed, sent] = await meet<Answer>(group, [remove, () => post(bob, group, 1)]);
    assert.deepEqual([removed?.status, sent?.status], [204, 404]);
    assert.deepEqual(await seqsOf(ana, group), [1], 'the line of the removal alone');
  });

  it('nor does an edit, a deletion or a reaction', async () => {
    const [ana, bob] = people;
    const group = await makeGroup(ana, [bob]);
    const { id } = await send(bob, group.id, 'mine');
    const path = `/v1/conversations/${group.id}/messages/${id}`;
    const answers = await meet<Answer>(group, [
      () => ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`),
      () => bob.call('PATCH', path, newMessage()),
      () => bob.call('DELETE', path),
      () => bob.call('PUT', `${path}/reactions/${encodeURIComponent('👍')}`),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [204, 404, 404, 404],
    );
  });

  it('a device that tells what it has got takes back nothing that was read', async () => {
    const [ana, bob] = people;
    const group = await makeGroup(ana, [bob]);
    for (let n = 0; n < 5; n += 1) await send(ana, group.id, `message ${n}`);
    const path = `/v1/conversations/${group.id}/receipts`;
    expectStatus(await bob.call('PUT', path, { readSeq: 3 }), 200);
    const { deliveredSeq, readSeq } = expectStatus(await bob.call<Receipt>('PUT', path, { deliveredSeq: 5 }), 200);
    assert.deepEqual([deliveredSeq, readSeq], [5, 3]);
    const later = expectStatus(await bob.call<Receipt>('PUT', path, { readSeq: 4 }), 200);
    assert.deepEqual([later.deliveredSeq, later.readSeq], [5, 4]);
  });

  it('what was delivered is taken back by no device that is behind', async () => {
    const [ana, bob] = people;
    const group = await makeGroup(ana, [bob]);
    for (let n = 0; n < 5; n += 1) await send(ana, group.id, `message ${n}`);
    const path = `/v1/conversations/${group.id}/receipts`;
    expectStatus(await bob.call('PUT', path, { deliveredSeq: 4 }), 200);
    const behind = expectStatus(await bob.call<Receipt>('PUT', path, { deliveredSeq: 2 }), 200);
    assert.deepEqual([behind.deliveredSeq, behind.readSeq], [4, 0]);
    const reads = expectStatus(await bob.call<Receipt>('PUT', path, { readSeq: 1 }), 200);
    assert.deepEqual([reads.deliveredSeq, reads.readSeq], [4, 1]);
  });

  it('what was read was delivered, and no mark runs ahead of the messages', async () => {
    const [ana, bob] = people;
    const group = await makeGroup(ana, [bob]);
    for (let n = 0; n < 3; n += 1) await send(ana, group.id, `message ${n}`);
    const path = `/v1/conversations/${group.id}/receipts`;
    const read = expectStatus(await bob.call<Receipt>('PUT', path, { readSeq: 2 }), 200);
    assert.deepEqual([read.deliveredSeq, read.readSeq], [2, 2]);
    const ahead = expectStatus(await bob.call<Receipt>('PUT', path, { deliveredSeq: 9 }), 200);
    assert.deepEqual([ahead.deliveredSeq, ahead.readSeq], [3, 2]);
  });
});
