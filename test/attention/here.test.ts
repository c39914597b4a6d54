import assert from 'node:assert/strict';
import type { Conversation } from '../../contracts/entities/index.ts';
import { type Person, makeGroup, registerDevice, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { inbox, waitFor } from '../support/inbox.ts';
import { expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';

describe('a mention of whoever is here', () => {
  let app: TestApp;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({ processes: [['api', 'realtime'], ['relay'], ['worker']] });
  });
  after(() => app.stop());

  const call = (sender: Person, id: string, type: 'here' | 'everyone') =>
    send(sender, id, `@${type}, please look`, { mentions: [{ type, offset: 0, length: type.length + 1 }] });
  /** Somebody who wants to be called by mentions only. */
  const onlyByMentions = async (person: Person, id: string) => {
    expectStatus(await person.call('PATCH', `/v1/conversations/${id}/me`, { level: 'mentions' }), 200);
    return registerDevice(person);
  };
  const unread = async (person: Person, id: string) =>
    expectStatus(await person.call<Conversation>('GET', `/v1/conversations/${id}`), 200).me;

  it('notifies who is connected when it is sent, and not who is away, also when something else calls them later', async () => {
    const [ana, cleo, bob] = await registerPeople(app, 'Ana', 'Cleo', 'Bob');
    const group = await makeGroup(ana, [cleo, bob]);
    const tokens = { cleo: await onlyByMentions(cleo, group.id), bob: await onlyByMentions(bob, group.id) };
    const live = await connect(app.url, { token: cleo.token });
    await send(ana, group.id, 'nobody is mentioned by this');
    await call(ana, group.id, 'here');
    const [push] = await waitFor(app, { to: tokens.cleo });
    assert.equal(push?.data?.seq, '2');
    // Who has come meanwhile was not called.
    const late = await connect(app.url, { token: bob.token });
    late.close();
    assert.deepEqual(await inbox(app, { to: tokens.bob }), []);
    await call(ana, group.id, 'everyone');
    const [other] = await waitFor(app, { to: tokens.bob });
    assert.deepEqual([other?.data?.seq, other?.text], ['3', 'New message from Ana']);
    // What is counted is for all: clients count along, and cannot know who was there.
    for (const person of [cleo, bob]) assert.equal((await unread(person, group.id)).mentions, 2);
    live.close();
  }).timeout(60_000);
});
