import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type { Price } from '../../contracts/rate-limits.ts';
import type { Spender } from '../../domain/deps.ts';
import { redisTimeoutMs } from '../../platform/limits/shared.ts';
import type { RunningProcess } from '../../roles.ts';
import { registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type PrivateServices, privateServices } from '../support/private-services.ts';
import { call, expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

/** Figures that are told and not asserted. */
const say = (line: string) => void process.stdout.write(`      ${line}\n`);

const points = 100;
const nodes = 2;
/** Each node admits its part of the points, and what it may admit without asking. */
const atMost = nodes * (points / nodes) * 1.05;

describe('rate limits while Redis', () => {
  let own: PrivateServices;
  let app: TestApp;
  let redis: Awaited<ReturnType<PrivateServices['redis']>>;
  before(async function () {
    this.timeout(60_000);
    own = await privateServices();
  });
  beforeEach(async () => {
    redis = await own.redis();
    app = await startApp({
      processes: Array.from({ length: nodes }, () => ['api', 'realtime'] as const),
      env: {
        REDIS_URL: redis.url,
        HOMING_RATE_LIMITS: `all=off send=${points}/1h login=5/1h login-hour=10/1h sign-in=60/1h read=10/1h nodes=${nodes}`,
      },
    });
    await until(
      async () => everySpend(() => newcomer()),
      (spent) => spent.every(({ waited }) => !waited),
    );
  });
  afterEach(async () => {
    redis.kill('SIGCONT');
    await app.stop();
    redis.kill('SIGKILL');
    await redis.exited;
  });
  after(() => own.close());

  const newcomer = (): Spender => ({
    userId: randomUUIDv7() as never,
    address: randomUUIDv7(),
    account: randomUUIDv7(),
  });
  const send: readonly Price[] = [['send', 1]];
  const login: readonly Price[] = [
    ['sign-in', 1],
    ['login', 1],
    ['login-hour', 1],
  ];
  const spend = async ({ runtime }: RunningProcess, prices: readonly Price[], by: Spender) =>
    runtime.limits.spend(prices, by);
  const everySpend = (by: () => Spender) => Promise.all(app.processes.map((node) => spend(node, login, by())));
  /** How many of twice as many as there are points every node admits. */
  const admitted = async (by: Spender) => {
    const asked = app.processes.flatMap((node) => Array.from({ length: 2 * points }, () => spend(node, send, by)));
    return (await Promise.all(asked)).filter(({ refused }) => !refused).length;
  };

  it('is there admit what they say, by all nodes together', async () => {
    const count = await admitted(newcomer());
    // Fewer where a machine that is busy elsewhere leaves Redis without an answer for so long.
    assert.ok(count >= points / nodes && count <= points * 1.05, `${count} of ${points}`);
  });

  for (const [state, signal] of [
    ['is paused', 'SIGSTOP'],
    ['is gone', 'SIGKILL'],
  ] as const) {
    it(`${state} admit on each node its part, and no more`, async () => {
      redis.kill(signal);
      if (signal === 'SIGKILL') await redis.exited;
      const count = await admitted(newcomer());
      assert.ok(count >= points / nodes && count <= atMost, `${count} of ${points}`);
      say(`${count} of ${points} were admitted by ${nodes} nodes`);
    });

    it(`${state} let everybody read, and keep nobody from signing in`, async () => {
      const ana = await registerPerson(app, 'Ana');
      redis.kill(signal);
      if (signal === 'SIGKILL') await redis.exited;
      for (let n = 0; n < 30; n += 1) expectStatus(await ana.call('GET', '/v1/me'), 200);
      const body = { identifier: ana.email, password: 'a wrong password' };
      const statuses = [];
      for (let n = 0; n < 6; n += 1) statuses.push((await call(app.url, 'POST', '/v1/auth/login', { body })).status);
      assert.deepEqual(statuses, [401, 401, 429, 429, 429, 429], 'five, of which each of two nodes has two');
    });
  }

  it('is paused cost nobody more than the timeout, and after five of them nobody anything', async () => {
    redis.kill('SIGSTOP');
    const [node] = app.processes;
    assert.ok(node);
    const took = [];
    for (let n = 0; n < 30; n += 1) {
      const began = performance.now();
      await spend(node, login, newcomer());
      took.push(performance.now() - began);
    }
    // As much again for a machine that has other things to do: without the guards it is three timeouts, or thirty of them.
    assert.ok(Math.max(...took) < 2 * redisTimeoutMs, `one took ${Math.max(...took)} ms`);
    const all = took.reduce((sum, one) => sum + one, 0);
    assert.ok(all < 10 * redisTimeoutMs, `all took ${all} ms`);
    say(
      `${took.filter((one) => one >= redisTimeoutMs).length} of 30 waited, at most ${Math.round(Math.max(...took))} ms`,
    );
    redis.kill('SIGCONT');
    await until(
      async () => everySpend(() => newcomer()),
      (spent) => spent.every(({ waited }) => !waited),
    );
  }).timeout(40_000);
});
