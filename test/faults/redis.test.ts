import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type PrivateServices, privateServices } from '../support/private-services.ts';
import { call, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { until } from '../support/until.ts';
import type { SyncResponse } from '../../contracts/entities/index.ts';
import { SyncClient } from '../sync/client.ts';

describe('Redis is killed for three seconds while messages flow between two nodes', () => {
  let own: PrivateServices;
  let app: TestApp;
  before(async function () {
    this.timeout(60_000);
    own = await privateServices();
  });
  afterEach(() => app?.stop());
  after(() => own.close());

  it('every send is acked, the same node stays live, nothing is lost after catching up, and the other node is live again', async () => {
    let redis = await own.redis();
    const port = Number(new URL(redis.url).port);
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
      env: { REDIS_URL: redis.url },
    });
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const [here, there] = [
      await connect(app.urls[0] ?? '', { token: bob.token }),
      await connect(app.urls[1] ?? '', { token: bob.token }),
    ];

    const flow = new AbortController();
    const sent: number[] = [];
    const sending = keepSending(ana, group.id, sent, flow.signal);
    await until(
      async () => sent.length,
      (count) => count >= 10,
    );
    redis.kill('SIGKILL');
    await redis.exited;
    const before = sent.length;
    // Sends go on without Redis.
    await until(
      async () => sent.length,
      (count) => count > before + 50,
    );
    redis = await own.redis(port);
    await liveAgain(ana, group.id, there, sent);
    flow.abort();
    await sending;

    const head = sent.length;
    assert.deepEqual(
      [...sent].sort((a, b) => a - b),
      Array.from({ length: head }, (_, n) => n + 1),
      'gapless',
    );
    await here.heard('event', ({ version }) => version === head + 1);
    assert.deepEqual(
      messagesOf(here, group.id),
      [...sent].sort((a, b) => a - b),
      'the same node heard every message live',
    );

    const client = new SyncClient(bob.id);
    for (const event of there.told.event) client.hear(event);
    const missed = head - (client.conversations.get(group.id)?.messages.size ?? 0);
    assert.ok(missed > 0, 'the fault was real: the other node’s socket missed something live');
    client.take(expectStatus(await bob.call<SyncResponse>('POST', '/v1/sync', { known: client.known }), 200));
    assert.equal(client.conversations.get(group.id)?.version, head + 1);
    for (const socket of [here, there]) socket.close();
  }).timeout(60_000);

  it('a conversation that was made meanwhile is found by the sockets of the other node', async () => {
    const redis = await own.redis();
    const alone = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
      env: { REDIS_URL: redis.url },
    });
    const [ana, bob] = await registerPeople(alone, 'Ana', 'Bob');
    const there = await connect(alone.urls[1] ?? '', { token: bob.token });
    redis.kill('SIGKILL');
    await redis.exited;
    const group = await makeGroup(ana, [bob]);
    await own.redis(Number(new URL(redis.url).port));
    await there.heard('heads', ({ heads }) => heads.some(([id]) => id === group.id));
    await liveAgain(ana, group.id, there, []);
    there.close();
    await alone.stop();
  }).timeout(60_000);

  it('who is removed meanwhile learns of it afterwards, on the node that heard nothing of the removal', async () => {
    let redis = await own.redis();
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
      env: { REDIS_URL: redis.url },
    });
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const there = await connect(app.urls[1] ?? '', { token: bob.token });
    const anaThere = await connect(app.urls[1] ?? '', { token: ana.token });
    redis.kill('SIGKILL');
    await redis.exited;
    expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`), 204);
    redis = await own.redis(Number(new URL(redis.url).port));
    // The next thing that the node hears of is of a membership that it does not know.
    const { version } = expectStatus(
      await call<{ message: { version: number } }>(
        app.urls[1] ?? '',
        'POST',
        `/v1/conversations/${group.id}/messages`,
        {
          ...{ token: ana.token, body: { clientId: randomUUIDv7(), text: 'after' } },
        },
      ),
      201,
    ).message;
    await anaThere.heard('event', (event) => event.version === version);
    await there.heard('heads', ({ heads }) => heads.some(([id, head]) => id === group.id && head === version - 1));
    assert.ok(there.told.event.every((event) => event.version < version));
    for (const socket of [there, anaThere]) socket.close();
  }).timeout(60_000);

  it('who joins meanwhile is not told live what was before, however late it arrives', async () => {
    const redis = await own.redis();
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
      env: { REDIS_URL: redis.url },
    });
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const body = { clientId: randomUUIDv7(), kind: 'group', title: 'Ops', memberIds: [bob.id], history: 'joining' };
    const group = expectStatus(await ana.call<{ id: string }>('POST', '/v1/conversations', body), 201);
    const [bobThere, cleoThere] = [
      await connect(app.urls[1] ?? '', { token: bob.token }),
      await connect(app.urls[1] ?? '', { token: cleo.token }),
    ];
    redis.kill('SIGSTOP');
    expectStatus(await ana.call('PATCH', `/v1/conversations/${group.id}`, { title: 'Before her time' }), 200);
    const there = (method: string, path: string, input: unknown) =>
      call(app.urls[1] ?? '', method, path, { token: ana.token, body: input });
    expectStatus(await there('POST', `/v1/conversations/${group.id}/members`, { userIds: [cleo.id] }), 200);
    await cleoThere.heard('event', ({ type }) => type === 'members.added');
    redis.kill('SIGCONT');
    // It arrives at both, in whatever form each may have it.
    await bobThere.heard('event', ({ version }) => version === 2);
    await cleoThere.heard('event', ({ version }) => version === 2);
    assert.doesNotMatch(JSON.stringify(cleoThere.told.event), /Before her time/);
    for (const socket of [bobThere, cleoThere]) socket.close();
  }).timeout(60_000);

  /** Sends one message after another until it is told to stop; every one must be acked. */
  async function keepSending(
    person: Person,
    conversationId: string,
    sent: number[],
    signal: AbortSignal,
  ): Promise<void> {
    for (let n = 0; !signal.aborted; n += 1) {
      sent.push((await send(person, conversationId, `message ${n}`)).seq);
      // A pace, and no wait: the messages are to come before, during and after the fault.
      await sleep(20);
    }
  }

  /** Until the other node hears a message that was sent after Redis came back. */
  async function liveAgain(person: Person, conversationId: string, socket: TestSocket, sent: number[]): Promise<void> {
    const since = new Set<number>();
    await until(
      async () => {
        const { version, seq } = await send(person, conversationId, 'are you back?');
        sent.push(seq);
        since.add(version);
        return socket.told.event.some((event) => event.conversationId === conversationId && since.has(event.version));
      },
      (heard) => heard,
    );
  }

  const messagesOf = ({ told }: TestSocket, id: string) =>
    told.event.flatMap((event) =>
      event.type === 'message.created' && event.conversationId === id ? [event.data.message.seq] : [],
    );
});
