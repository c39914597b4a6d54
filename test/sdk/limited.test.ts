import assert from 'node:assert/strict';
import type { Message } from '../../contracts/entities/index.ts';
import { createClient } from '../../sdk/index.ts';
import { makeGroup, password, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, clientsOfEachTest, heard } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';
import { within } from '../support/within.ts';

describe('the client where the server limits it', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  const begin = async (limits: string) => {
    app = await startApp({ env: { HOMING_RATE_LIMITS: `all=off ${limits}` } });
    return registerPerson(app, 'Ana');
  };
  afterEach(() => app.stop());

  it('sends fifty messages that were written at once, in their order, without losing its connection', async () => {
    const person = await begin('send=20/1s');
    const group = await makeGroup(person, []);
    const ana = await clientOf(app, person);
    clients.push(ana);
    const refusals = new Set<string>();
    const states: string[] = [];
    ana.on('outgoing', ({ error }) => void (error && refusals.add(error.code)));
    ana.on('connection', ({ state }) => void states.push(state));
    const written = Array.from({ length: 50 }, (_, n) => `message ${n}`);
    await within('all are stored', Promise.all(written.map((text) => ana.send(group.id, { text }).stored)));
    const answer = await person.call<{ items: Message[] }>('GET', `/v1/conversations/${group.id}/messages?limit=200`);
    assert.deepEqual(
      expectStatus(answer, 200)
        .items.sort((a, b) => a.seq - b.seq)
        .map(({ text }) => text),
      written,
    );
    assert.deepEqual([...refusals], ['rate_limited']);
    assert.deepEqual(states, []);
  }).timeout(30_000);

  it('says nothing of a typing that was one too many', async () => {
    const person = await begin('socket-events=3/1h');
    const group = await makeGroup(person, []);
    const ana = await clientOf(app, person);
    clients.push(ana);
    const told: unknown[] = [];
    ana.on('error', (error) => void told.push(error));
    for (let n = 0; n < 10; n += 1) ana.setTyping(group.id, n % 2 === 0);
    await assert.rejects(ana.setPresence('active', null), { code: 'rate_limited' });
    assert.deepEqual(told, []);
  });

  it('waits before it connects again for as long as it is told to', async () => {
    const person = await begin('connect=1/1h');
    clients.push(await clientOf(app, person));
    const second = createClient({ url: app.url });
    clients.push(second);
    await second.signIn({ identifier: person.email, password });
    const waiting = heard(second, 'connection', ({ state }) => state === 'waiting');
    second.start().catch(() => undefined);
    const state = await waiting;
    assert.ok(state.state === 'waiting' && state.why.code === 'rate_limited');
    assert.ok(state.retryInMs >= (state.why.retryAfterMs ?? Number.POSITIVE_INFINITY));
  });
});
