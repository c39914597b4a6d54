import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { UserId } from '../../contracts/ids.ts';
import { freePort, root } from '../../dev/services/index.ts';
import { refusalLines, tellRefusals } from '../../realtime/refusals.ts';
import { type Person, password, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clockOf } from '../support/clock.ts';
import { answer, challengeOf, switchOnApp } from '../support/factors.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';
import { until } from '../support/until.ts';

type Line = Record<string, unknown>;

describe('what is refused stands in the log', () => {
  let app: TestApp;
  let child: ChildProcess;
  let output = '';
  let ana: Person;
  let bob: Person;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({ processes: [] });
    app.url = `http://127.0.0.1:${await freePort()}`;
    child = spawn(process.execPath, ['main.ts', 'api', 'realtime'], {
      cwd: root,
      env: {
        ...process.env,
        ...app.env,
        ...{ PORT: new URL(app.url).port, HOMING_LOG_LEVEL: 'info', HOMING_RATE_LIMITS: 'all=off connect=3/10m' },
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout?.setEncoding('utf8').on('data', (said: string) => void (output += said));
    await line({ message: 'ready' });
    [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
  });
  after(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
    await app.stop();
  });

  const lines = () =>
    output
      .split('\n')
      .slice(0, -1)
      .map((each) => JSON.parse(each) as Line);
  const fits = (wanted: Line) => (one: Line) => Object.entries(wanted).every(([name, value]) => one[name] === value);
  /** The line that says so, without what every line has. */
  const line = async (wanted: Line): Promise<Line> => {
    const found = await until(
      async () => lines().find(fits(wanted)),
      (one) => one !== undefined,
    );
    const { timestamp: _at, level: _level, role: _role, ...fields } = found ?? {};
    return fields;
  };

  it('a handshake, with its code and, where that is known, whose', async () => {
    await assert.rejects(connect(app.url, { token: 'hunter2' }));
    assert.deepEqual(await line({ code: 'unauthenticated' }), {
      message: 'handshake refused',
      code: 'unauthenticated',
    });
    await assert.rejects(connect(app.url, { token: ana.token, secret: 'hunter2' }));
    assert.deepEqual(await line({ code: 'invalid_input' }), { message: 'handshake refused', code: 'invalid_input' });
    await assert.rejects(connect(app.url, { token: ana.token }, { extraHeaders: { origin: 'https://evil.example' } }));
    assert.deepEqual(await line({ code: 'origin_refused' }), { message: 'handshake refused', code: 'origin_refused' });
    for (let times = 0; times < 3; times += 1) (await connect(app.url, { token: bob.token })).close();
    await assert.rejects(connect(app.url, { token: bob.token }));
    assert.deepEqual(await line({ code: 'rate_limited' }), {
      message: 'handshake refused',
      ...{ code: 'rate_limited', userId: bob.id },
    });
    assert.ok(!output.includes('hunter2') && !output.includes('evil.example'));
  });

  it('an event of a socket, and what it asked for by the contract’s name', async () => {
    const socket = await connect(app.url, { token: ana.token });
    const refused = { message: 'socket event refused', userId: ana.id };
    await socket.ask('request', { operation: 'listAudit', query: { cursor: 'hunter2' } });
    assert.deepEqual(await line({ operation: 'listAudit' }), {
      ...{ ...refused, event: 'request', operation: 'listAudit', code: 'forbidden' },
    });
    await socket.ask('request', { operation: 'hunter2' });
    assert.deepEqual(await line({ event: 'request', code: 'invalid_input' }), {
      ...{ ...refused, event: 'request', code: 'invalid_input' },
    });
    const message = { clientId: crypto.randomUUID(), text: 'hunter2' };
    await socket.ask('message.send', { conversationId: crypto.randomUUID(), message });
    assert.deepEqual(await line({ event: 'message.send' }), {
      ...{ ...refused, event: 'message.send', operation: 'sendMessage', code: 'not_found' },
    });
    await socket.ask('request', { operation: 'stepUp', body: { password: 'hunter2' } });
    assert.deepEqual(await line({ operation: 'stepUp', message: 'socket event refused' }), {
      ...{ ...refused, event: 'request', operation: 'stepUp', code: 'invalid_credentials', factor: 'password' },
    });
    await socket.ask('request', { operation: 'stepUp', body: { password } });
    assert.deepEqual(await line({ message: 'socket proof' }), {
      ...{ message: 'socket proof', userId: ana.id, operation: 'stepUp', factor: 'password' },
    });
    socket.close();
    assert.ok(!output.includes('hunter2'));
  });

  it('a sign-in by REST says by what, and who came in', async () => {
    const body = { identifier: ana.email, password };
    expectProblem(
      await call(app.url, 'POST', '/v1/auth/login', { body: { ...body, password: 'hunter2 hunter2' } }),
      ...([401, 'invalid_credentials'] as const),
    );
    const { factor, userId } = await line({ operation: 'login', status: 401 });
    assert.deepEqual([factor, userId], ['password', undefined]);
    expectStatus(await call(app.url, 'POST', '/v1/auth/login', { body }), 200);
    const good = await line({ operation: 'login', status: 200 });
    assert.deepEqual([good.factor, good.userId], ['password', ana.id]);

    // Its clock is the machine's, which no test moves: a code of the next half minute is as good as one of this.
    const phone = await switchOnApp(ana, clockOf({ processes: [] }));
    const { challenge } = await challengeOf(app, ana);
    expectStatus(await answer(app, { challenge, recoveryCode: phone.recoveryCodes[0] }), 200);
    const second = await line({ operation: 'secondFactor', status: 200 });
    assert.deepEqual([second.factor, second.userId], ['recovery_code', ana.id]);
    const again = await challengeOf(app, ana);
    await answer(app, { challenge: again.challenge, code: '000000' });
    assert.equal((await line({ operation: 'secondFactor', status: 400 })).factor, 'totp');
    assert.ok(!output.includes(ana.email) && !output.includes(String(phone.recoveryCodes[0])));
  });
});

describe('lines of refusals', () => {
  it('have an end, for each person and for all, and it is said how many were left out', async () => {
    const said: [string, Line][] = [];
    const leftOut = Promise.withResolvers<void>();
    const write = (message: string, fields: Line = {}) => {
      said.push([message, fields]);
      if (message === 'refusals were left out') leftOut.resolve();
    };
    const tell = tellRefusals({ info: write, warn: write, error: write });
    const people = Array.from({ length: 30 }, (_, n) => `person-${n}` as UserId);
    for (let times = 0; times <= refusalLines.one; times += 1)
      tell('refused', { code: 'forbidden', userId: people[0] as UserId });
    tell('refused', { code: 'forbidden', userId: people[1] as UserId });
    assert.deepEqual([said.length, said.at(-1)?.[1].userId], [refusalLines.one + 1, people[1]]);
    for (const userId of people)
      for (let times = 0; times < refusalLines.one; times += 1) tell('refused', { code: 'forbidden', userId });
    assert.equal(said.length, refusalLines.all);
    await leftOut.promise;
    const asked = refusalLines.one + 2 + people.length * refusalLines.one;
    assert.deepEqual(said.at(-1), ['refusals were left out', { count: asked - refusalLines.all }]);
    tell('refused', { code: 'forbidden', userId: people[0] as UserId });
    assert.equal(said.length, refusalLines.all + 2);
  });

  it('of nobody have a part of their own, and hide nobody’s', () => {
    const said: Line[] = [];
    const write = (_message: string, fields: Line = {}) => void said.push(fields);
    const tell = tellRefusals({ info: write, warn: write, error: write });
    for (let times = 0; times < 2 * refusalLines.all; times += 1) tell('handshake refused', { code: 'rate_limited' });
    tell('socket event refused', { code: 'invalid_credentials', userId: 'ana' as UserId });
    assert.equal(said.length, refusalLines.nobody + 1);
    assert.equal(said.at(-1)?.userId, 'ana');
  });
});
