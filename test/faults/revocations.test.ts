import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AccessToken, Session, TokenMade } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { suspendUser } from '../../domain/support/index.ts';
import { standardWatch } from '../../platform/config-types.ts';
import { type Person, makeGroup, password, registerPerson, send, signInAgain } from '../factories/person.ts';
import type { TestApp } from '../setup/app.ts';
import { ownSuite } from '../support/own-suite.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';

/** How many sessions are ended in all: HOMING_REVOCATIONS=10000 for the large run, which takes most of an hour on two cores. */
const count = Number(process.env.HOMING_REVOCATIONS ?? 144);
/** Sessions that are ended at once: few enough that the machine's own slowness is not what is measured. */
const atOnce = 12;

/** How late something may still pass: a part of the interval at which each node reads the table (of 2 s, that is 1 s and 5 s). */
const { reloadMs } = standardWatch;
const bounds = { healthy: reloadMs / 2, away: reloadMs * 2.5 };

/** A session that is about to end, on a node that does not end it. */
interface Victim {
  person: Person;
  /** By which it is there: of its session, or one that its person has made for a program. */
  token: string;
  socket: TestSocket;
  /** When the last thing passed that was asked or heard. */
  lastPassedAt: number;
}

describe(`${count} sessions end while people use them on another node`, () => {
  const suite = ownSuite();
  let app: TestApp;
  let redis: Awaited<ReturnType<typeof suite.own.redis>>;

  const here = () => app.urls[0] ?? '';
  const there = () => app.urls[1] ?? '';
  const refresh = (refreshToken: string) =>
    call<{ session: Session }>(here(), 'POST', '/v1/auth/refresh', { body: { refreshToken } });

  /** Each way answers once the session has ended, by the node that its victim is not on. */
  const ways: Record<
    string,
    {
      prepare?: (person: Person) => Promise<unknown>;
      /** Answers with another token than the session's. */
      come?: (person: Person) => Promise<string>;
      end: (person: Person) => Promise<void>;
    }
  > = {
    logout: {
      end: async ({ token }) => void expectStatus(await call(here(), 'POST', '/v1/auth/logout', { token }), 204),
    },
    'one of several': {
      async end(person) {
        const other = await signInAgain({ url: here() }, person);
        expectStatus(await other.call('DELETE', `/v1/sessions/${person.session.id}`), 204);
      },
    },
    'all others': {
      async end(person) {
        const other = await signInAgain({ url: here() }, person);
        expectStatus(await other.call('DELETE', '/v1/sessions'), 200);
      },
    },
    'a refresh token that comes back': {
      async end({ session }) {
        const next = expectStatus(await refresh(session.refreshToken), 200).session;
        expectStatus(await refresh(next.refreshToken), 200);
        expectProblem((await refresh(session.refreshToken)) as Answer, 401, 'refresh_reused');
      },
    },
    'too many of them': {
      prepare: ({ id }) =>
        app.database.run(`insert into sessions (user_id, id, created_at, last_used_at, expires_at)
            select '${id}', gen_random_uuid(), now(), now() + interval '1 hour', now() + interval '1 day'
            from generate_series(2, ${limits.sessionsPerUser})`),
      async end({ email }) {
        const body = { identifier: email, password };
        expectStatus(await call(here(), 'POST', '/v1/auth/login', { body }), 200);
      },
    },
    'a token for a program': {
      async come(person) {
        const body = { name: 'Deploy', scopes: ['messages:read', 'profile:read'] };
        return expectStatus(await person.call<TokenMade>('POST', '/v1/me/tokens', body), 201).token;
      },
      async end({ token }) {
        const { items } = expectStatus(
          await call<{ items: AccessToken[] }>(here(), 'GET', '/v1/me/tokens', { token }),
          200,
        );
        expectStatus(await call(here(), 'DELETE', `/v1/me/tokens/${items[0]?.id}`, { token }), 204);
      },
    },
    'a suspended person': {
      async end({ id }) {
        const process = app.processes[0];
        assert.ok(process);
        await suspendUser(process.runtime.deps, { operator: 'test' }, id as UserId);
      },
    },
  };
  const names = Object.keys(ways);

  const faults: Record<string, { bound: number; strike: () => Promise<void>; heal: () => Promise<void> }> = {
    'with Redis there': { bound: bounds.healthy, strike: async () => undefined, heal: async () => undefined },
    'with Redis paused': {
      bound: bounds.away,
      strike: async () => void redis.kill('SIGSTOP'),
      heal: async () => void redis.kill('SIGCONT'),
    },
    'with Redis killed': {
      bound: bounds.away,
      async strike() {
        redis.kill('SIGKILL');
        await redis.exited;
      },
      async heal() {
        redis = await suite.own.redis(Number(new URL(redis.url).port));
      },
    },
  };

  async function arrive(way: string): Promise<Victim> {
    const person = await registerPerson({ url: there() });
    await ways[way]?.prepare?.(person);
    const token = (await ways[way]?.come?.(person)) ?? person.token;
    return { person, token, socket: await connect(there(), { token }), lastPassedAt: 0 };
  }

  /** Asks by REST and over the socket until neither passes; what was heard meanwhile counts, too. */
  async function watch(victim: Victim, untilAt: () => number): Promise<void> {
    const { token, socket } = victim;
    socket.raw.onAny((name: string) => {
      if (name !== 'notice') victim.lastPassedAt = performance.now();
    });
    for (;;) {
      const askedAt = performance.now();
      const [rest, ack] = await Promise.all([
        call(there(), 'GET', '/v1/me', { token }),
        socket.raw.connected ? socket.ask('request', { operation: 'getMe' }).catch(() => ({ ok: false })) : undefined,
      ]);
      if (rest.status === 200 || ack?.ok) victim.lastPassedAt = Math.max(victim.lastPassedAt, askedAt);
      if ((rest.status === 401 && !socket.raw.connected) || askedAt > untilAt()) return;
      await sleep(reloadMs / 40);
    }
  }

  /** Ends one session; answers with how long after its end something of it still passed. */
  async function endOne(victim: Victim, way: string, bound: number): Promise<number> {
    let endedAt = Number.POSITIVE_INFINITY;
    const end = async () => {
      await ways[way]?.end(victim.person);
      endedAt = performance.now();
    };
    await Promise.all([watch(victim, () => endedAt + 3 * bound), end()]);
    return Math.max(0, victim.lastPassedAt - endedAt);
  }

  async function isDead({ person, token, socket }: Victim): Promise<void> {
    assert.equal(socket.raw.connected, false, 'its socket is closed');
    expectProblem(await call(there(), 'GET', '/v1/me', { token }), 401, 'session_revoked');
    await assert.rejects(connect(there(), { token }), /session_revoked/);
    // The session by which a token was made goes on.
    if (token !== person.token) return;
    const renewed = await refresh(person.session.refreshToken);
    assert.equal(renewed.status, 401);
  }

  /** Some sessions at once, all members of a group in which somebody writes. */
  async function batch(
    size: number,
    from: number,
    { bound, strike, heal }: (typeof faults)[string],
  ): Promise<number[]> {
    const writer = await registerPerson({ url: there() }, 'Writer');
    const wayOf = (n: number) => names[(from + n) % names.length] as string;
    const victims: Victim[] = [];
    for (let n = 0; n < size; n += 1) victims.push(await arrive(wayOf(n)));
    const group = await makeGroup(
      writer,
      victims.map(({ person }) => person),
    );
    const written = new AbortController();
    await strike();
    const writing = keepWriting(writer, group.id, written.signal);
    try {
      const late = await Promise.all(victims.map((victim, n) => endOne(victim, wayOf(n), bound)));
      for (const victim of victims) await isDead(victim);
      return late;
    } finally {
      written.abort();
      await writing;
      await heal();
    }
  }

  async function keepWriting(writer: Person, id: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await send(writer, id, `hello ${randomUUIDv7()}`);
      await sleep(reloadMs / 20);
    }
  }

  for (const [title, fault] of Object.entries(faults)) {
    it(`${title} nothing passes any more`, async function () {
      this.timeout(180_000 + count * 400);
      redis = await suite.own.redis();
      app = await suite.start({
        processes: [
          ['api', 'realtime'],
          ['api', 'realtime'],
        ],
        env: { REDIS_URL: redis.url },
      });
      const late: number[] = [];
      const all = Math.ceil(count / Object.keys(faults).length);
      while (late.length < all) late.push(...(await batch(Math.min(atOnce, all - late.length), late.length, fault)));
      late.sort((a, b) => a - b);
      const p99 = late[Math.ceil(late.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY;
      const [middle, last] = [late[Math.floor(late.length / 2)], late.at(-1)];
      if (process.env.HOMING_REVOCATIONS)
        process.stdout.write(
          `      ${late.length}: ${middle?.toFixed(0)} ms in the middle, ${p99.toFixed(0)} p99, ${last?.toFixed(0)} at most\n`,
        );
      assert.ok(p99 <= fault.bound, `one in a hundred passed for ${p99} ms after the end`);
      assert.ok((last ?? 0) <= bounds.away, `one passed for ${last} ms after the end`);
    });
  }
});
