import assert from 'node:assert/strict';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { holdNext } from '../support/held.ts';
import { type PrivateServices, privateServices } from '../support/private-services.ts';
import { expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';

describe('who becomes a member through one node while their only device is on the other, and Redis stays away', () => {
  let own: PrivateServices;
  let app: TestApp;
  const open: TestSocket[] = [];
  before(async function () {
    this.timeout(60_000);
    own = await privateServices();
    const redis = await own.redis();
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
      env: { REDIS_URL: redis.url },
    });
    redis.kill('SIGKILL');
    await redis.exited;
  });
  after(async () => {
    for (const socket of open) socket.close();
    await app.stop();
    await own.close();
  });

  const there = async (person: Person) => {
    const socket = await connect(app.urls[1] ?? '', { token: person.token });
    open.push(socket);
    return socket;
  };
  const add = async (owner: Person, id: string, person: Person) =>
    expectStatus(await owner.call('POST', `/v1/conversations/${id}/members`, { userIds: [person.id] }), 200);
  /** The socket is told of the conversation, within the twenty seconds that `heard` waits. */
  const hearsOf = (socket: TestSocket, id: string, from = 1) =>
    socket.heard('heads', ({ heads }) => heads.some(([known, version]) => known === id && version >= from));

  it('hears of it within twenty seconds, and then of what is written', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const [known, unknown] = [await makeGroup(ana, [bob]), await makeGroup(ana, [])];
    const [bobThere, cleoThere] = [await there(bob), await there(cleo)];
    const made = await makeGroup(ana, [bob]);
    await add(ana, known.id, cleo);
    await add(ana, unknown.id, cleo);
    await Promise.all([
      hearsOf(bobThere, made.id),
      // The node knows it by somebody else, and the members of an earlier moment.
      hearsOf(cleoThere, known.id),
      hearsOf(cleoThere, unknown.id),
    ]);
    const { version } = await send(ana, unknown.id, 'do you hear me?');
    await hearsOf(cleoThere, unknown.id, version);
  }).timeout(60_000);

  it('hears of it also when a look at the members finds them before a digest does', async () => {
    const [ana, bob, cleo, dan] = await registerPeople(app, 'Ana', 'Bob', 'Cleo', 'Dan');
    const group = await makeGroup(ana, [bob, cleo]);
    const [bobThere, danThere] = [await there(bob), await there(dan)];
    // A look at who joined has just been taken: what everybody knows by now no digest tells until the next one.
    await hearsOf(danThere, (await makeGroup(ana, [dan])).id);
    await add(ana, group.id, dan);
    await hearsOf(bobThere, group.id, 2);
    // Who connects makes the node look.
    await there(cleo);
    await hearsOf(danThere, group.id, 2);
  }).timeout(60_000);

  it('hears of it also when the node read their memberships just before', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, []);
    const held = holdNext(app.processes[1], 'followed-by');
    const connecting = there(bob);
    await held.begun;
    await add(ana, group.id, bob);
    held.release();
    const socket = await connecting;
    assert.equal(socket.hello.sync, undefined);
    await hearsOf(socket, group.id);
  }).timeout(60_000);
});
