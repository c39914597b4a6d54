import assert from 'node:assert/strict';
import type { Running } from '../../dev/services/index.ts';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type PrivateServices, privateServices } from '../support/private-services.ts';
import { call, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';

describe('what the other node tells comes late, because Redis was paused', () => {
  let own: PrivateServices;
  let redis: Running;
  let app: TestApp;
  const open: TestSocket[] = [];
  before(async function () {
    this.timeout(60_000);
    own = await privateServices();
    const started = await own.redis();
    redis = started;
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
      env: { REDIS_URL: started.url },
    });
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  after(async () => {
    await app?.stop();
    await own.close();
  });

  const join = async (person: Person) => {
    const socket = await connect(app.urls[0] ?? '', { token: person.token });
    open.push(socket);
    return socket;
  };
  const ask = (node: 0 | 1, person: Person, method: string, path: string, body?: object) =>
    call(app.urls[node] ?? '', method, path, { token: person.token, ...(body ? { body } : {}) });
  const heard = (socket: TestSocket, type: string) => socket.heard('event', (event) => event.type === type);
  const versions = (socket: TestSocket) => socket.told.event.map(({ version }) => version);

  it('an adding that is older than the removal brings nobody back', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const group = await makeGroup(ana, [bob]);
    const [bobHere, cleoHere] = [await join(bob), await join(cleo)];
    const members = `/v1/conversations/${group.id}/members`;
    redis.kill('SIGSTOP');
    expectStatus(await ask(1, ana, 'POST', members, { userIds: [cleo.id] }), 200);
    expectStatus(await ask(0, ana, 'DELETE', `${members}/${cleo.id}`), 204);
    await heard(cleoHere, 'members.removed');
    const removedAt = Math.max(...versions(cleoHere));
    redis.kill('SIGCONT');
    await heard(bobHere, 'members.added');
    const last = await send(ana, group.id, 'not for Cleo');
    await bobHere.heard('event', ({ version }) => version === last.version);
    // Cleo's socket is told in the same turn as Bob's, and what it is told next comes after that.
    const proof = await makeGroup(cleo, []);
    await cleoHere.heard('event', ({ conversationId }) => conversationId === proof.id);
    const inGroup = cleoHere.told.event.filter(({ conversationId }) => conversationId === group.id);
    assert.ok(Math.max(...inGroup.map(({ version }) => version)) <= removedAt);
  }).timeout(60_000);

  it('a removal that is older than the return sends nobody away', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const group = await makeGroup(ana, [bob, cleo]);
    const [bobHere, cleoHere] = [await join(bob), await join(cleo)];
    const members = `/v1/conversations/${group.id}/members`;
    redis.kill('SIGSTOP');
    expectStatus(await ask(1, ana, 'DELETE', `${members}/${cleo.id}`), 204);
    expectStatus(await ask(0, ana, 'POST', members, { userIds: [cleo.id] }), 200);
    await heard(cleoHere, 'members.added');
    redis.kill('SIGCONT');
    await heard(bobHere, 'members.removed');
    const last = await send(ana, group.id, 'for Cleo, too');
    await bobHere.heard('event', ({ version }) => version === last.version);
    await cleoHere.heard('event', ({ version }) => version === last.version);
  }).timeout(60_000);

  it('an adding that comes after a newer one is not lost on who was added', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const group = await makeGroup(ana, []);
    const [bobHere, cleoHere] = [await join(bob), await join(cleo)];
    const members = `/v1/conversations/${group.id}/members`;
    redis.kill('SIGSTOP');
    expectStatus(await ask(1, ana, 'POST', members, { userIds: [bob.id] }), 200);
    expectStatus(await ask(0, ana, 'POST', members, { userIds: [cleo.id] }), 200);
    await heard(cleoHere, 'members.added');
    redis.kill('SIGCONT');
    await cleoHere.heard('event', ({ version }) => version === 2);
    const last = await send(ana, group.id, 'for Bob, too');
    await bobHere.heard('event', ({ version }) => version === last.version);
  }).timeout(60_000);
});
