import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import type { UserId } from '../../contracts/ids.ts';
import type { CircuitName, Circuits, SendOutcome } from '../../domain/deps.ts';
import {
  type CircuitsOptions,
  createCircuits,
  memoryStore,
  redisStore,
  sharedWithLocal,
} from '../../platform/circuits/index.ts';
import { releaseMs } from '../../platform/circuits/rules.ts';
import { openRedis } from '../../platform/redis.ts';
import { services } from '../setup/services.ts';
import { ownSuite } from '../support/own-suite.ts';

const second = 1_000;
const minute = 60 * second;
const log = { info() {}, warn() {}, error() {} };
/** People by where they stand among those who wait, from 0 to 1. */
const person = (share: number) =>
  `01900000-0000-7000-8000-00000000${Math.floor(share * 0xffff)
    .toString(16)
    .padStart(4, '0')}` as UserId;
const ok: SendOutcome = { class: 'ok', providerId: 'p' };
const outcome = (kind: Exclude<SendOutcome['class'], 'ok'>): SendOutcome => ({
  class: kind,
  provider: 'fcm',
  code: 'X',
});

type StoreOf = (now: () => number) => CircuitsOptions['store'];

/** Circuits whose clock the test moves, each of a deployment of its own. */
function circuitsAt(options: Partial<CircuitsOptions> = {}, storeOf: StoreOf = memoryStore) {
  let time = Date.parse('2026-11-27T12:00:00.000Z');
  const now = () => time;
  const alerts: string[] = [];
  const deployment = randomBytes(6).toString('hex');
  const circuits = createCircuits({
    store: storeOf(now),
    keyOf: (name) => `{t${deployment}:${name}}`,
    now,
    log: { ...log, error: (message) => void alerts.push(message) },
    ...options,
  });
  return { circuits, alerts, pass: (ms: number) => void (time += ms), now };
}

async function heedAll(circuits: Circuits, name: CircuitName, kind: SendOutcome, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await circuits.heed(name, kind);
}
const state = async (circuits: Circuits, name: CircuitName = 'sendgrid') => {
  const way = await circuits.admit(name, person(0));
  return typeof way === 'string' ? way : way.why;
};

/** The same rules, whether they stand on this process alone or on what all share. */
const shared = () => openRedis({ url: services.redisUrl, role: 'test', log });
for (const [where, connect] of Object.entries({ 'in one process': undefined, 'by Redis': shared })) {
  describe(`a provider’s circuit, ${where}`, () => {
    let redis: Redis | undefined;
    before(async () => {
      redis = connect?.();
      if (redis) await once(redis, 'ready');
    });
    after(() => redis?.disconnect());
    const make = () => circuitsAt({}, (now) => (redis ? redisStore(redis) : memoryStore(now)));

    it('opens when half of twenty calls within thirty seconds failed, and not before', async () => {
      const { circuits } = make();
      await heedAll(circuits, 'sendgrid', ok, 9);
      await heedAll(circuits, 'sendgrid', outcome('transient'), 10);
      assert.equal(await state(circuits), 'go', 'nineteen calls');
      await circuits.heed('sendgrid', outcome('ambiguous'));
      assert.equal(await state(circuits), 'breaker_open');
      assert.equal(await state(circuits, 'twilio'), 'go', 'the others are none of its business');
    });

    it('stays closed when fewer than half fail', async () => {
      const { circuits } = make();
      await heedAll(circuits, 'sendgrid', ok, 21);
      await heedAll(circuits, 'sendgrid', outcome('transient'), 20);
      assert.equal(await state(circuits), 'go');
    });

    it('recipients that are refused, and calls that come too often, say nothing against a provider', async () => {
      const { circuits } = make();
      for (const kind of ['recipient_dead', 'recipient_soft', 'content_rejected', 'throttled'] as const)
        await heedAll(circuits, 'sendgrid', outcome(kind), 20);
      assert.equal(await state(circuits), 'go');
    });

    it('opens on three errors of configuration, unless something goes well between them', async () => {
      const { circuits, alerts } = make();
      const wrong = outcome('config_outage');
      for (const one of [wrong, wrong, ok, wrong, wrong]) await circuits.heed('fcm:ios', one);
      assert.equal(await state(circuits, 'fcm:ios'), 'go');
      await circuits.heed('fcm:ios', wrong);
      assert.equal(await state(circuits, 'fcm:ios'), 'breaker_open');
      assert.equal(await state(circuits, 'fcm:android'), 'go', 'another platform has another key');
      assert.equal(alerts.length, 1);
    });
  });
}

describe('a circuit that is open', () => {
  const opened = async () => {
    const all = circuitsAt();
    await heedAll(all.circuits, 'sendgrid', outcome('config_outage'), 3);
    return all;
  };

  it('lets one call through each fifteen seconds', async () => {
    const { circuits, pass } = await opened();
    pass(14 * second);
    assert.equal(await state(circuits), 'breaker_open');
    pass(second);
    const ways = await Promise.all(Array.from({ length: 10 }, () => state(circuits)));
    assert.deepEqual(ways.toSorted(), [...Array.from({ length: 9 }, () => 'breaker_open'), 'probe']);
    pass(14 * second);
    assert.equal(await state(circuits), 'breaker_open');
    pass(second);
    assert.equal(await state(circuits), 'probe');
  });

  it('closes after five that went well in a row', async () => {
    const { circuits, pass } = await opened();
    for (const one of [ok, ok, ok, ok, outcome('transient'), ok, ok, ok, ok]) await circuits.heed('sendgrid', one);
    assert.equal(await state(circuits), 'breaker_open');
    await circuits.heed('sendgrid', ok);
    pass(second);
    assert.equal(await state(circuits), 'go');
    await circuits.heed('sendgrid', outcome('transient'));
    assert.equal(await state(circuits), 'go', 'what failed before is forgotten');
  });

  it('is not closed by what had been under way when it opened', async () => {
    const { circuits, pass, now } = await opened();
    const before = now() - second;
    for (let n = 0; n < 10; n += 1) await circuits.heed('sendgrid', ok, before);
    pass(second);
    assert.equal(await state(circuits), 'breaker_open');
    await heedAll(circuits, 'sendgrid', ok, 5);
    pass(second);
    assert.equal(await state(circuits), 'go');
  });

  it('puts people off by timers, each to another moment, the longer the longer it lasts, five minutes at most', async () => {
    const { circuits, pass, now } = await opened();
    const waits = async () => {
      const people = [0, 0.25, 0.5, 0.75, 1].map(person);
      const held = await Promise.all(people.map(async (one) => (await circuits.look(one)).get('sendgrid')));
      return held.map((one) => ((one?.until.getTime() ?? 0) - now()) / second);
    };
    const first = await waits();
    assert.ok(
      first.every((wait, n) => wait >= 15 && (n === 0 || wait > (first[n - 1] ?? 0)) && wait <= 30),
      first.join(),
    );
    pass(20 * minute);
    await circuits.admit('sendgrid', person(0));
    const later = await waits();
    assert.ok(Math.min(...later) >= 15 && Math.max(...later) > 290 && Math.max(...later) <= 300, later.join());
  });

  it('somebody who is due while nobody asks may be the one who asks', async () => {
    const { circuits, pass } = await opened();
    const mayAsk = async () => (await circuits.look(person(0))).get('sendgrid')?.mayAsk ?? false;
    assert.equal(await mayAsk(), false);
    pass(15 * second);
    assert.equal(await mayAsk(), true);
    assert.equal(await state(circuits), 'probe');
    assert.equal(await mayAsk(), false);
  });
});

describe('a circuit that is open and that nobody uses', () => {
  /** As processes see it that share what they know, and what each was told last. */
  const opened = async () => {
    const store = memoryStore(() => now());
    const told: (string | undefined)[] = [];
    const process = (n: number) => ({ keyOf: (name: string) => `idle:${name}`, onChange: noteAs(n) });
    const noteAs = (n: number) => (_name: CircuitName, to: string | undefined) => void (told[n] = to);
    const { circuits, pass, now } = circuitsAt(process(0), () => store);
    const other = createCircuits({ ...process(1), store, now, log });
    await heedAll(circuits, 'fcm:desktop', outcome('config_outage'), 3);
    await state(other, 'fcm:desktop');
    assert.deepEqual(told, ['configuration', 'configuration']);
    return { circuits, other, told, pass };
  };

  it('counts as untested after a quarter of an hour without a call, in every process', async () => {
    const { circuits, other, told, pass } = await opened();
    pass(14 * minute);
    for (const one of [circuits, other]) await one.review();
    assert.deepEqual(told, ['configuration', 'configuration']);
    await circuits.look(person(0));
    pass(minute);
    for (const one of [circuits, other]) await one.review();
    assert.deepEqual(told, ['untested', 'untested']);
  });

  it('is open for as long as somebody calls, however seldom', async () => {
    const { circuits, told, pass } = await opened();
    for (let n = 0; n < 4; n += 1) {
      pass(10 * minute);
      await circuits.review();
      assert.equal(told[0], 'configuration');
      await state(circuits, 'fcm:desktop');
    }
  });

  it('lets one call ask then, and is open again for all others until five went well', async () => {
    const { circuits, other, told, pass } = await opened();
    pass(20 * minute);
    for (const one of [circuits, other]) await one.review();
    assert.equal((await circuits.look(person(0))).get('fcm:desktop')?.mayAsk, true);
    const ways = await Promise.all(
      Array.from({ length: 10 }, (_, n) => state(n % 2 ? other : circuits, 'fcm:desktop')),
    );
    assert.deepEqual(ways.toSorted(), [...Array.from({ length: 9 }, () => 'breaker_open'), 'probe']);
    assert.deepEqual(told, ['configuration', 'configuration']);
    await heedAll(circuits, 'fcm:desktop', ok, 4);
    assert.equal(await state(circuits, 'fcm:desktop'), 'breaker_open');
    await circuits.heed('fcm:desktop', ok);
    pass(second);
    await other.review();
    assert.deepEqual(told, [undefined, undefined]);
  });

  it('is seen to be closed within a second, however many call', async () => {
    const { circuits, other, pass } = await opened();
    await heedAll(circuits, 'fcm:desktop', ok, 5);
    for (let n = 0; n < 3; n += 1) {
      await state(other, 'fcm:desktop');
      pass(second / 2);
    }
    assert.equal(await state(other, 'fcm:desktop'), 'go');
  });
});

describe('when a provider is back', () => {
  it('what waited is let go at a tenth of the normal rate, twice as fast each minute', () => {
    // Ten a second in normal times: one a second at first.
    assert.equal(releaseMs(0, 10), 0);
    for (const [n, seconds] of [
      [1, 1],
      [86, 60],
      [86 + 173, 120],
      [86 + 173 + 346, 180],
    ] as const) {
      assert.ok(Math.abs(releaseMs(n, 10) / second - seconds) < 1, `${n} after ${releaseMs(n, 10)} ms`);
    }
  });

  it('each of those who waited has a moment of their own, and who is due then goes', async () => {
    const { circuits, pass, now } = circuitsAt();
    await heedAll(circuits, 'sendgrid', outcome('config_outage'), 3);
    const people = Array.from({ length: 173 }, (_, n) => person(n / 173));
    for (const one of people) await circuits.look(one);
    await heedAll(circuits, 'sendgrid', ok, 5);
    const dueIn = async (one: UserId) => {
      const held = (await circuits.look(one)).get('sendgrid');
      assert.notEqual(held?.why, 'breaker_open');
      return held ? held.until.getTime() - now() : 0;
    };
    const due = await Promise.all(people.map(dueIn));
    const within = (ms: number) => due.filter((one) => one <= ms).length;
    assert.ok(within(10 * second) <= 12, `${within(10 * second)} in the first ten seconds`);
    assert.ok(within(minute) >= 80 && within(minute) <= 90, `${within(minute)} in the first minute`);
    pass(30 * second);
    const late = people.at(-1) as UserId;
    assert.equal(await state(circuits), 'go', 'the first has gone long ago');
    assert.equal(typeof (await circuits.admit('sendgrid', late)), 'object');
    pass(2 * minute);
    assert.equal(await circuits.admit('sendgrid', late), 'go');
  });
});

describe('too many dead tokens at once', () => {
  const dead = outcome('recipient_dead');
  const braked = async (sends: number, deads: number) => {
    const restored: Date[] = [];
    const all = circuitsAt({ onDeadTokens: async (since) => void restored.push(since) });
    await heedAll(all.circuits, 'fcm:android', ok, sends - deads);
    const believed: SendOutcome['class'][] = [];
    for (let n = 0; n < deads; n += 1) believed.push((await all.circuits.heed('fcm:android', dead)).class);
    return { ...all, believed, restored };
  };

  it('are believed up to five in a hundred, and while fewer than two hundred were sent', async () => {
    for (const [sends, deads] of [
      [200, 10],
      [199, 100],
    ] as const) {
      const { circuits, believed, restored } = await braked(sends, deads);
      assert.deepEqual(new Set(believed), new Set(['recipient_dead']));
      assert.deepEqual([await state(circuits, 'fcm:android'), restored], ['go', []]);
    }
  });

  it('beyond that none is believed, pushes of every platform wait, and somebody is told', async () => {
    const { circuits, believed, restored, alerts, pass, now } = await braked(200, 11);
    assert.deepEqual(believed.slice(-2), ['recipient_dead', 'config_outage']);
    for (const name of ['fcm:android', 'fcm:ios', 'fcm:web', 'fcm:desktop'] as const)
      assert.equal(await state(circuits, name), 'breaker_open');
    assert.deepEqual([restored.length, restored[0]?.getTime()], [1, now() - 10 * minute]);
    assert.ok(alerts.some((text) => text.includes('none is believed')));
    pass(15 * second);
    assert.equal((await circuits.heed('fcm:android', dead)).class, 'config_outage', 'nor from one who asks');
    assert.equal(await state(circuits, 'sendgrid'), 'go');
  });

  it('are forgotten after ten minutes', async () => {
    const { circuits, pass } = await braked(200, 10);
    pass(11 * minute);
    assert.equal((await circuits.heed('fcm:android', dead)).class, 'recipient_dead');
  });
});

describe('Redis is lost', () => {
  const suite = ownSuite();
  let connections: Redis[] = [];
  afterEach(() => connections.forEach((connection) => connection.disconnect()));

  it('each process goes on by what it has seen itself, and shares it again afterwards', async () => {
    const server = await suite.own.redis();
    connections = [0, 1].map(() => openRedis({ url: server.url, role: 'test', log }));
    await Promise.all(connections.map((one) => once(one, 'ready')));
    let time = Date.now();
    const now = () => time;
    const [one, other] = connections.map<Circuits>((connection) =>
      createCircuits({
        ...{ keyOf: (name) => `{lost:${name}}`, now, log },
        store: sharedWithLocal(redisStore(connection), memoryStore(now)),
      }),
    ) as [Circuits, Circuits];
    await heedAll(one, 'twilio', outcome('config_outage'), 2);
    await heedAll(other, 'twilio', outcome('config_outage'), 1);
    time += 2 * second;
    assert.equal(await state(one, 'twilio'), 'breaker_open', 'what the other has seen counts');
    server.kill('SIGKILL');
    await server.exited;
    time += 2 * second;
    assert.equal(await state(one, 'twilio'), 'breaker_open', 'what was known is known');
    assert.equal(await state(one, 'sendgrid'), 'go');
    await heedAll(one, 'sendgrid', outcome('config_outage'), 3);
    assert.equal(await state(one, 'sendgrid'), 'breaker_open', 'and its own eyes are enough');
    assert.equal(await state(other, 'sendgrid'), 'go');
  }).timeout(60_000);
});
