import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import jwt from 'jsonwebtoken';
import type { SocketError } from '../../contracts/errors.ts';
import { limits } from '../../contracts/limits.ts';
import { type ClientEventName, clientEvents } from '../../contracts/realtime/index.ts';
import { type Person, makeGroup, read, registerPeople, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { call, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';

describe('sockets', () => {
  let app: TestApp;
  const open: TestSocket[] = [];
  before(async () => {
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
    });
  });
  afterEach(async () => {
    for (const socket of open.splice(0)) socket.close();
    for (const url of app.urls) expectStatus(await call(url, 'GET', '/livez'), 200);
  });
  after(() => app.stop());

  const join = async (person: Person, { node = 0, ...auth }: { node?: number } & Record<string, unknown> = {}) => {
    const socket = await connect(app.urls[node] ?? '', { token: person.token, ...auth });
    open.push(socket);
    return socket;
  };
  const refusal = async (
    auth: Record<string, unknown>,
    options: Record<string, unknown> = {},
  ): Promise<SocketError | undefined> => {
    const error = await connect(app.url, auth, options).then(
      (socket) => (socket.close(), assert.fail('the connect was accepted')),
      (thrown: Error & { data?: SocketError }) => thrown,
    );
    return error.data;
  };

  describe('the handshake', () => {
    it('greets with who one is, the limits and the time', async () => {
      const ana = await registerPerson(app);
      const { hello } = await join(ana);
      assert.equal(hello.userId, ana.id);
      assert.equal(hello.sessionId, ana.session.id);
      assert.deepEqual(hello.limits, limits);
      assert.equal(hello.sync, undefined);
    });

    it('answers with the sync that was asked for', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      await send(ana, group.id, 'before');
      const { hello } = await join(bob, { known: [[group.id, 1]] });
      assert.deepEqual(
        hello.sync?.changes.map(({ how, events }) => [how, events.length]),
        [['events', 1]],
      );
    });

    it('refuses no token, a wrong one, an ended session and unknown fields, each with its code', async () => {
      const ana = await registerPerson(app);
      assert.equal((await refusal({}))?.code, 'invalid_input');
      assert.deepEqual(
        (await refusal({}))?.errors?.map(({ path }) => path),
        ['auth.token'],
      );
      assert.equal((await refusal({ token: 'nonsense' }))?.code, 'unauthenticated');
      assert.deepEqual(
        (await refusal({ token: ana.token, surprise: 1 }))?.errors?.map(({ path }) => path),
        ['auth.surprise'],
      );
      expectStatus(await ana.call('POST', '/v1/auth/logout'), 204);
      assert.equal((await refusal({ token: ana.token }))?.code, 'session_revoked');
    });

    it('refuses a page of a foreign origin and takes one of ours', async () => {
      const ana = await registerPerson(app);
      const from = (origin: string) => ({ extraHeaders: { origin } });
      await assert.rejects(connect(app.url, { token: ana.token }, from('http://evil.test')));
      const socket = await connect(app.url, { token: ana.token }, from('http://homing.test'));
      open.push(socket);
    });

    it('takes WebSocket only', async () => {
      const response = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`);
      assert.equal(response.status, 400);
    });
  });

  describe('live events', () => {
    it('reach the members on every node, the sender’s other devices too, and nobody else', async () => {
      const [ana, bob, eve] = await registerPeople(app, 'Ana', 'Bob', 'Eve');
      const group = await makeGroup(ana, [bob]);
      const [anaHere, anaThere, bobHere, bobThere, stranger] = [
        await join(ana),
        await join(ana, { node: 1 }),
        await join(bob),
        await join(bob, { node: 1 }),
        await join(eve, { node: 1 }),
      ];
      const answer = await anaHere.ask('message.send', {
        conversationId: group.id,
        message: { clientId: randomUUIDv7(), text: 'hello' },
      });
      assert.ok(answer.ok);
      for (const socket of [anaHere, anaThere, bobHere, bobThere]) {
        const event = await socket.heard('event', ({ version }) => version === 2);
        assert.deepEqual(event.data, { message: answer.message, thread: null });
      }
      assert.deepEqual(stranger.told.event, []);
    });

    it('of a conversation that was just made reach sockets that were open before, in order', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const there = await join(bob, { node: 1 });
      const group = await makeGroup(ana, [bob]);
      await send(ana, group.id, 'hello');
      await there.heard('event', ({ version }) => version === 2);
      assert.deepEqual(
        there.told.event.map(({ version, type }) => [version, type]),
        [
          [1, 'conversation.created'],
          [2, 'message.created'],
        ],
      );
    });

    it('tell the members how far somebody has read, once for a move', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      await send(ana, group.id, 'hello');
      const [here, there] = [await join(ana), await join(ana, { node: 1 })];
      await read(bob, group.id, 1);
      await read(bob, group.id, 1);
      const expected = {
        receipts: [{ conversationId: group.id, userId: bob.id, deliveredSeq: 1, readSeq: 1, cameSeq: 0 }],
      };
      for (const socket of [here, there]) assert.deepEqual(await socket.heard('receipts', () => true), expected);
      // A message after it: whatever was told before has arrived by then.
      await send(bob, group.id, 'done');
      await there.heard('event', ({ version }) => version === 3);
      assert.equal(there.told.receipts.length, 1);
    });
  });

  describe('requests', () => {
    it('a repeat of a send answers with the first message', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const [here, there] = [await join(ana), await join(ana, { node: 1 })];
      const input = { conversationId: group.id, message: { clientId: randomUUIDv7(), text: 'once' } };
      const [first, second] = await Promise.all([here.ask('message.send', input), there.ask('message.send', input)]);
      assert.ok(first.ok && second.ok);
      assert.equal(first.message.id, second.message.id);
      assert.deepEqual([first.repeated, second.repeated].sort(), [false, true]);
    });

    it('ask for the log and for everything, as REST does', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      await send(ana, group.id, 'hello');
      const socket = await join(bob);
      const log = await socket.ask('events.after', { conversationId: group.id, after: 1 });
      assert.ok(log.ok && !log.page.snapshot && log.page.events.length === 1);
      const all = await socket.ask('sync', { known: [] });
      assert.ok(all.ok && all.changes.length === 1);
      const receipt = await socket.ask('receipt.update', { conversationId: group.id, receipt: { readSeq: 1 } });
      assert.ok(receipt.ok && receipt.receipt.readSeq === 1);
    });

    for (const name of Object.keys(clientEvents) as ClientEventName[]) {
      const bad: Record<string, unknown[]> = {
        nothing: [],
        null: [null],
        'a text': ['x'],
        'an unknown field': [{ surprise: 1 }],
        'a list': [[]],
      };
      for (const [what, given] of Object.entries(bad)) {
        it(`${name} refuses ${what} with the faulty fields, and the socket goes on`, async () => {
          const socket = await join(await registerPerson(app));
          const answer = (await socket.raw.timeout(5_000).emitWithAck(name, ...given)) as {
            ok: boolean;
            error?: SocketError;
          };
          assert.equal(answer.ok, false);
          assert.equal(answer.error?.code, 'invalid_input');
          assert.ok((answer.error?.errors ?? []).length > 0);
          assert.ok((await socket.ask('sync', { known: [] })).ok);
        });
      }
    }

    it('live on without an acknowledgement, and with something else in its place', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const group = await makeGroup(ana, [bob]);
      const socket = await join(ana);
      socket.raw.emit('message.send', {
        conversationId: group.id,
        message: { clientId: randomUUIDv7(), text: 'silent' },
      });
      socket.raw.emit('message.send', { nonsense: true }, 'no function', { nor: 'this' });
      socket.raw.emit('no such event', 1, 2, 3);
      await socket.heard('event', ({ version }) => version === 2);
      assert.ok((await socket.ask('sync', { known: [] })).ok);
    });

    /** As raw packets: the client library refuses to send some of them. */
    const sendRaw = (socket: TestSocket, packet: string) =>
      (socket.raw.io.engine as unknown as { write(packet: string): void }).write(packet);

    for (const name of ['error', '__proto__', 'constructor', 'hasOwnProperty']) {
      for (const given of ['', ',null', ',{"message":"mine"}']) {
        it(`an event called ${name}${given} does nothing`, async () => {
          const socket = await join(await registerPerson(app));
          sendRaw(socket, `2["${name}"${given}]`);
          assert.ok((await socket.ask('sync', { known: [] })).ok);
        });
      }
    }

    for (const name of ['connect', 'disconnect', 'disconnecting', 'newListener', 'removeListener']) {
      it(`an event called ${name}, which is the server's own, closes that socket and no other`, async () => {
        const [socket, other] = [await join(await registerPerson(app)), await join(await registerPerson(app))];
        const closed = once(socket.raw as never, 'disconnect');
        sendRaw(socket, `2["${name}",{}]`);
        await closed;
        assert.ok((await other.ask('sync', { known: [] })).ok);
      });
    }

    it('an unknown event is refused with a code where it asks for an answer', async () => {
      const socket = await join(await registerPerson(app));
      const answer = (await socket.raw.timeout(5_000).emitWithAck('no.such', {})) as {
        ok: boolean;
        error: SocketError;
      };
      assert.deepEqual([answer.ok, answer.error.code], [false, 'not_found']);
    });

    it('a frame of the greatest size is read', async () => {
      const socket = await join(await registerPerson(app));
      // Around the filler: engine.io's and Socket.IO's packet types, the id of the acknowledgement, the event's name.
      const frame = Buffer.byteLength('420["sync",{"known":[],"filler":""}]');
      const answer = (await socket.raw
        .timeout(5_000)
        .emitWithAck('sync', { known: [], filler: 'x'.repeat(limits.socketFrameBytes - frame) })) as { ok: boolean };
      assert.equal(answer.ok, false);
      assert.ok((await socket.ask('sync', { known: [] })).ok);
    });

    it('a frame over the limit closes that socket and no other', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const [big, other] = [await join(ana), await join(bob)];
      const closed = once(big.raw as never, 'disconnect');
      big.raw.emit('sync', { known: [], filler: 'x'.repeat(limits.socketFrameBytes) });
      await closed;
      assert.ok((await other.ask('sync', { known: [] })).ok);
    });
  });

  describe('the session', () => {
    it('that is ended closes its sockets on every node with a reason, and no others', async () => {
      const ana = await registerPerson(app);
      const login = await call<{ session: { id: string; accessToken: string } }>(app.url, 'POST', '/v1/auth/login', {
        body: { identifier: ana.email, password: 'correct horse battery staple' },
      });
      const { session } = expectStatus(login, 200);
      const [kept, there] = [await join(ana), await connect(app.urls[1] ?? '', { token: session.accessToken })];
      const closed = once(there.raw as never, 'disconnect');
      expectStatus(await ana.call('DELETE', `/v1/sessions/${session.id}`), 204);
      assert.deepEqual(await there.heard('notice', () => true), { kind: 'session_ended', code: 'session_revoked' });
      await closed;
      assert.ok((await kept.ask('sync', { known: [] })).ok);
    });

    it('that ended long ago opens no socket, and one that ended without a word of it loses its socket soon', async () => {
      const ana = await registerPerson(app);
      const socket = await join(ana);
      const closed = once(socket.raw as never, 'disconnect');
      await app.database.run(`update sessions set revoked_at = now() where id = '${ana.session.id}'`);
      await closed;
      assert.equal(socket.told.notice[0]?.code, 'session_revoked');
      const bob = await registerPerson(app);
      await app.database.run(
        `update sessions set revoked_at = now() - interval '1 hour' where id = '${bob.session.id}'`,
      );
      assert.equal((await refusal({ token: bob.token }))?.code, 'session_revoked');
    });

    it('that ends at the moment of a connect leaves no socket open', async () => {
      for (let n = 0; n < 8; n += 1) {
        const ana = await registerPerson(app);
        const connecting = connect(app.urls[n % 2] ?? '', { token: ana.token }).catch(() => undefined);
        expectStatus(await ana.call('POST', '/v1/auth/logout'), 204);
        const socket = await connecting;
        if (socket?.raw.connected) await once(socket.raw as never, 'disconnect');
      }
    });

    it('closes its sockets when its token has run out', async () => {
      const ana = await registerPerson(app);
      const [{ key }] = JSON.parse(app.env.HOMING_JWT_KEYS ?? '') as [{ key: string }];
      // Within the leeway for clocks that differ, by a second.
      const token = jwt.sign({ sid: ana.session.id, sub: ana.id }, key, {
        ...{ issuer: 'http://homing.test', audience: 'homing', expiresIn: -59, algorithm: 'ES256' },
        header: { alg: 'ES256', typ: 'at+jwt', kid: 'dev' },
      });
      const socket = await connect(app.url, { token });
      await once(socket.raw as never, 'disconnect');
      assert.deepEqual(socket.told.notice, [{ kind: 'session_ended', code: 'token_expired' }]);
    });

    it('is renewed in place by a newer token of the same session, and by no other', async () => {
      const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
      const socket = await join(ana);
      const refreshed = await call<{ session: { accessToken: string } }>(app.url, 'POST', '/v1/auth/refresh', {
        body: { refreshToken: ana.session.refreshToken },
      });
      const renewed = await socket.ask('session.renew', { token: expectStatus(refreshed, 200).session.accessToken });
      assert.ok(renewed.ok);
      const other = await socket.ask('session.renew', { token: bob.token });
      assert.ok(!other.ok && other.error.code === 'forbidden');
    });
  });

  it('a node that stops says so to its sockets before it closes them', async () => {
    const extra = await app.start(['api', 'realtime']);
    const ana = await registerPerson(app);
    const socket = await connect(`http://127.0.0.1:${extra.port}`, { token: ana.token });
    const closed = once(socket.raw as never, 'disconnect');
    const stopped = extra.stop('the test says so');
    assert.deepEqual(await socket.heard('notice', () => true), { kind: 'moving' });
    await closed;
    await stopped;
  });
});
