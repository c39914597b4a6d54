import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../../contracts/limits.ts';
import { type Person, makeGroup, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type RawSocket, openRaw } from '../support/raw-socket.ts';
import { connect } from '../support/socket.ts';
import { within } from '../support/within.ts';

describe('packets of one socket', () => {
  let app: TestApp;
  let ana: Person;
  let bob: Person;
  before(async () => {
    app = await startApp();
    [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
  });
  after(() => app.stop());

  const most = limits.socketPacketsPerSecond;
  const secondMs = 1_000;
  const pong = '3';
  const signedIn = async (): Promise<RawSocket> => {
    const socket = await openRaw(app.url);
    socket.send(`40${JSON.stringify({ token: ana.token })}`);
    await socket.until('42["hello"');
    return socket;
  };
  const flood = (socket: RawSocket, packet: string, count: number) => {
    for (let n = 0; n < count; n += 1) socket.send(packet);
  };

  it('on the limit are served, in each second anew', async () => {
    const socket = await signedIn();
    // Beside the connect and the question.
    flood(socket, pong, most - 2);
    socket.send('427["sync",{"known":[]}]');
    assert.match((await socket.until('437[')) ?? '', /"ok":true/);
    await sleep(secondMs);
    flood(socket, pong, most - 1);
    socket.send('428["sync",{"known":[]}]');
    assert.match((await socket.until('438[')) ?? '', /"ok":true/);
    assert.ok(socket.isOpen);
    socket.close();
  });

  // Twice as many and one: a second that ends in between forgives no more than that.
  for (const [name, packet] of Object.entries({ heartbeats: pong, 'questions without an end': '42["sync",{}]' })) {
    it(`beyond the limit close it with a coded reason: ${name}`, async () => {
      const socket = await signedIn();
      flood(socket, packet, 2 * most + 1);
      assert.match((await socket.until('42["notice"')) ?? '', /"code":"rate_limited"/);
      assert.equal(await socket.until('never'), undefined);
    });
  }

  it('beyond the limit close it before it has signed in, too', async () => {
    const socket = await openRaw(app.url);
    flood(socket, pong, 2 * most + 1);
    assert.equal(await socket.until('never'), undefined);
  });

  it('count also where they are of the WebSocket itself', async () => {
    const socket = await connect(app.url, { token: bob.token });
    const closed = once(socket.raw as never, 'disconnect');
    const { ws } = (socket.raw.io.engine as unknown as { transport: { ws: { ping(): void } } }).transport;
    for (let n = 0; n < 2 * most + 1; n += 1) ws.ping();
    await within('the socket is closed', closed);
    assert.deepEqual(socket.told.notice[0], { kind: 'closed', code: 'rate_limited' });
  });

  it('are no longer looked at once it is cut off, and others are served', async () => {
    const group = await makeGroup(ana, [bob]);
    const [socket, witness] = [await signedIn(), await connect(app.url, { token: bob.token })];
    for (let n = 0; n < 3 * most; n += 1) {
      const message = { clientId: randomUUIDv7(), text: 'again' };
      socket.send(`42${JSON.stringify(['message.send', { conversationId: group.id, message }])}`);
    }
    assert.equal(await socket.until('never'), undefined);
    const answer = await witness.ask('sync', { known: [[group.id, 1]] });
    assert.ok(answer.ok);
    const stored = answer.standings[0]?.lastSeq ?? 0;
    // A second that ends in between lets the next one's through.
    assert.ok(stored > 0 && stored <= 2 * most, `${stored} were stored`);
    witness.close();
  }).timeout(60_000);

  it('of a client that sends two hundred messages a second are all served', async () => {
    const group = await makeGroup(ana, [bob]);
    const socket = await connect(app.url, { token: ana.token });
    const [perTurn, turns, turnMs] = [10, 60, 50];
    const answers: Promise<{ ok: boolean }>[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      const due = sleep(turnMs);
      for (let n = 0; n < perTurn; n += 1) {
        const message = { clientId: randomUUIDv7(), text: `message ${turn} ${n}` };
        answers.push(socket.ask('message.send', { conversationId: group.id, message }));
      }
      await due;
    }
    assert.ok((await Promise.all(answers)).every(({ ok }) => ok));
    assert.ok(socket.raw.connected);
    assert.deepEqual(socket.told.notice, []);
    socket.close();
  }).timeout(30_000);
});
