import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createUser } from '../../domain/support/index.ts';
import { leakTimeoutMs } from '../../platform/leaked-passwords.ts';
import { password, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';

const hashOf = (secret: string) => createHash('sha1').update(secret).digest('hex').toUpperCase();
const suffix = () => randomBytes(18).toString('hex').slice(0, 35).toUpperCase();

/** The range protocol of Have I Been Pwned, with padding, as its documentation tells it. */
class Ranges {
  readonly leaked = new Map<string, number>();
  readonly asked: { path: string; headers: IncomingHttpHeaders }[] = [];
  instead: ((response: ServerResponse) => void) | undefined;
  readonly server: Server = createServer((request, response) => {
    const { url = '', headers } = request;
    this.asked.push({ path: url, headers });
    const prefix = /^\/range\/([0-9A-F]{5})$/.exec(url)?.[1];
    if (this.instead) return this.instead(response);
    if (prefix === undefined) return response.writeHead(400).end('The hash prefix was not in a valid format');
    const known = [...this.leaked].filter(([hash]) => hash.startsWith(prefix));
    const lines = [
      ...known.map(([hash, count]) => `${hash.slice(5)}:${count}`),
      ...Array.from({ length: 40 }, (_, n) => `${suffix()}:${n + 1}`),
      ...(headers['add-padding'] === 'true' ? Array.from({ length: 760 }, () => `${suffix()}:0`) : []),
    ];
    return response.writeHead(200, { 'content-type': 'text/plain' }).end(lines.sort().join('\r\n'));
  });
}

describe('passwords that were leaked elsewhere', () => {
  const ranges = new Ranges();
  let app: TestApp;
  before(async () => {
    await once(ranges.server.listen(0, '127.0.0.1'), 'listening');
    const { port } = ranges.server.address() as AddressInfo;
    app = await startApp({ env: { HOMING_LEAKED_PASSWORDS_URL: `http://127.0.0.1:${port}/` } });
  });
  after(async () => {
    await app.stop();
    ranges.server.closeAllConnections();
    ranges.server.close();
  });
  beforeEach(() => {
    ranges.asked.length = 0;
    ranges.instead = undefined;
  });

  const fresh = () => `four unheard words ${randomBytes(6).toString('hex')}`;
  const leak = (count: number): string => {
    const secret = fresh();
    ranges.leaked.set(hashOf(secret), count);
    return secret;
  };
  const register = (secret: string) => {
    const body = { email: `${randomBytes(6).toString('hex')}@example.test`, displayName: 'Ana', password: secret };
    return call(app.url, 'POST', '/v1/auth/register', { body });
  };
  const expectLeaked = (answer: Answer, field: string) => {
    assert.deepEqual(expectProblem(answer as Answer<never>, 400, 'invalid_input'), [field]);
    const [fault] = (answer.body as unknown as { errors: { code: string; message: string }[] }).errors;
    assert.equal(fault?.code, 'too_common');
    assert.match(fault?.message ?? '', /stolen elsewhere; take another/);
  };
  const lookups = async (result: string) => {
    const { values } = (await app.processes[0]?.runtime.metrics.leakedPasswords.get()) ?? { values: [] };
    return values.find(({ labels }) => labels.result === result)?.value ?? 0;
  };

  it('are refused to who registers, and five digits of a hash are all that is told', async () => {
    const secret = leak(3);
    expectLeaked(await register(secret), 'password');
    const [{ path, headers } = { path: '', headers: {} }] = ranges.asked;
    assert.equal(path, `/range/${hashOf(secret).slice(0, 5)}`);
    assert.equal(headers['add-padding'], 'true');
    assert.deepEqual(
      ['cookie', 'authorization', 'referer'].filter((name) => headers[name] !== undefined),
      [],
    );
    expectStatus(await register(fresh()), 201);
  });

  it('and to who changes theirs, in the very case that was leaked', async () => {
    const ana = await registerPerson(app, 'Ana');
    const [newPassword, other] = [leak(1), leak(1).toUpperCase()];
    const change = (secret: string) =>
      ana.call('POST', '/v1/me/password', { oldPassword: password, newPassword: secret });
    expectLeaked(await change(newPassword), 'newPassword');
    expectStatus(await change(other), 200);
  });

  it('and to whom an operator makes an account for', async () => {
    const deps = app.processes[0]?.runtime.deps;
    assert.ok(deps);
    const input = { displayName: 'Olga', email: 'leaked.olga@example.test', role: 'member' as const };
    await assert.rejects(createUser(deps, { operator: 'test' }, { ...input, password: leak(9) }), {
      code: 'invalid_input',
    });
  });

  it('but padding is no leak', async () => {
    expectStatus(await register(leak(0)), 201);
  });

  it('and nobody is asked about one that is refused already, or signs in', async () => {
    const ana = await registerPerson(app, 'Ana');
    ranges.asked.length = 0;
    expectProblem((await register('sunshine2024!!!!!!')) as Answer<never>, 400, 'invalid_input');
    expectStatus(await call(app.url, 'POST', '/v1/auth/login', { body: { identifier: ana.email, password } }), 200);
    assert.deepEqual(ranges.asked, []);
  });

  it('and the same range is asked for once', async () => {
    const secret = leak(2);
    for (const answer of await Promise.all([register(secret), register(secret)])) expectLeaked(answer, 'password');
    expectLeaked(await register(secret), 'password');
    assert.equal(ranges.asked.length, 1);
  });

  for (const [how, instead] of [
    ['does not answer in time', () => undefined],
    ['answers an error', (response: ServerResponse) => void response.writeHead(503).end()],
    ['hangs up', (response: ServerResponse) => void response.destroy()],
    [
      'begins an answer and never ends it',
      (response: ServerResponse) => void response.writeHead(200).write('0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n'),
    ],
  ] as const)
    it(`are taken where whoever is asked ${how}, which is counted, and asked for again`, async () => {
      const secret = leak(1);
      const before = await lookups('unanswered');
      ranges.instead = instead;
      const began = performance.now();
      expectStatus(await register(secret), 201);
      assert.ok(performance.now() - began < 10 * leakTimeoutMs);
      assert.equal(await lookups('unanswered'), before + 1);
      ranges.instead = undefined;
      expectLeaked(await register(secret), 'password');
    });

  it('are asked about at no address inside that was not named', async () => {
    const secret = leak(1);
    const node = await app.start(['api'], { HOMING_EGRESS_ALLOW: '' });
    const body = { email: 'inside@example.test', displayName: 'Ana', password: secret };
    expectStatus(await call(`http://127.0.0.1:${node.port}`, 'POST', '/v1/auth/register', { body }), 201);
    assert.deepEqual(ranges.asked, []);
  });

  it('are asked about by nobody unless it is set', async () => {
    const secret = leak(1);
    await app.start(['api'], { HOMING_LEAKED_PASSWORDS_URL: undefined });
    const port = app.processes.at(-1)?.port;
    const body = { email: 'unasked@example.test', displayName: 'Ana', password: secret };
    expectStatus(await call(`http://127.0.0.1:${port}`, 'POST', '/v1/auth/register', { body }), 201);
    assert.deepEqual(ranges.asked, []);
  });
});
