import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import pg from 'pg';
import type { Readiness } from '../../contracts/rest/about.ts';
import { type Person, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type TestDatabase, createDatabase } from '../setup/database.ts';
import { type Network, networkTo } from '../support/proxy.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { until } from '../support/until.ts';
import { within } from '../support/within.ts';

const watch = 'reload=100ms fence=1500ms';

describe('a node that cannot see which sessions have ended', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let network: Network;
  let app: TestApp;
  let ana: Person;
  let eve: Person;
  before(async () => {
    database = await createDatabase();
    network = await networkTo(database.url);
    const url = new URL(database.url);
    url.port = new URL(network.url).port;
    app = await startApp({ env: { DATABASE_URL: url.href, HOMING_SESSION_WATCH: watch } });
    // A node that is not cut off, where somebody signs out meanwhile.
    await app.start(['api'], { DATABASE_URL: database.url });
    [ana, eve] = await registerPeople(app, 'Ana', 'Eve');
  });
  afterEach(() => network.comeUp());
  after(async () => {
    await app.stop();
    await network.close();
    await database.drop();
  });

  const asks = (who = ana, url = app.url) => call(url, 'GET', '/v1/me', { token: who.token });
  const isFenced = () =>
    until(
      () => asks(),
      ({ status, body }) => status === 503 && (body as { code?: string }).code === 'fenced',
    );
  /** Five times in a row: what a look saw that had hung is old when it is over, and the node fenced until the next. */
  const serves = (who = ana, url = app.url) => {
    let times = 0;
    return until(
      () => asks(who, url),
      ({ status }) => {
        times = status === 200 ? times + 1 : 0;
        return times === 5;
      },
    );
  };
  const readiness = async () => (await call<Readiness>(app.url, 'GET', '/readyz')).body;
  /** As Prometheus reads it. */
  const figure = async (name: string, node = app.processes[0]) => {
    const text = (await node?.runtime.metrics.registry.metrics()) ?? '';
    const [, value = ''] = new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text) ?? [];
    return value === '+Inf' ? Number.POSITIVE_INFINITY : Number.parseFloat(value);
  };
  const stateOf = ({ dependencies }: Readiness) => dependencies.find(({ name }) => name === 'ended-sessions')?.state;
  const isGone = ({ raw }: TestSocket) =>
    raw.connected ? within('the socket closes', once(raw as unknown as EventEmitter, 'disconnect')) : undefined;

  async function hang(): Promise<pg.Client> {
    const owner = new pg.Client(database.ownerUrl);
    await owner.connect();
    await owner.query('begin');
    await owner.query('lock table sessions in access exclusive mode');
    return owner;
  }

  it('refuses people, says so where its readiness is asked, sends its sockets away, and serves again by itself', async () => {
    const socket = await connect(app.url, { token: ana.token });
    network.goDown();
    const refused = await isFenced();
    expectProblem(refused, 503, 'fenced');
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    assert.deepEqual((await socket.heard('notice', ({ code }) => code === 'fenced')).kind, 'closed');
    await isGone(socket);
    const { ready } = await until(readiness, (told) => stateOf(told) === 'down');
    assert.equal(ready, false);
    assert.equal(await figure('homing_fenced'), 1);
    assert.ok((await figure('homing_ended_sessions_age_seconds')) > 1.5);
    await assert.rejects(connect(app.url, { token: ana.token }), ({ data }: { data?: { code: string } }) =>
      ['fenced', 'unavailable'].includes(data?.code ?? ''),
    );
    expectStatus(await call(app.url, 'GET', '/v1/limits'), 200);

    network.comeUp();
    await serves();
    await until(readiness, (told) => told.ready && stateOf(told) === 'up');
    assert.ok((await figure('homing_ended_sessions_age_seconds')) < 1.5);
    assert.equal(await figure('homing_fenced'), 0);
    (await connect(app.url, { token: ana.token })).close();
  });

  it('counts a look that hangs as none, though everything else of the database answers', async () => {
    const socket = await connect(app.url, { token: ana.token });
    const owner = await hang();
    await isFenced();
    await isGone(socket);
    await owner.query('rollback');
    await owner.end();
    await serves();
  });

  it('lets in nobody whose session ended meanwhile, when it serves again', async () => {
    const other = `http://127.0.0.1:${app.processes[1]?.port}`;
    await serves(eve);
    await serves(eve, other);
    network.goDown();
    await isFenced();
    expectStatus(await call(other, 'POST', '/v1/auth/logout', { token: eve.token }), 204);
    network.comeUp();
    await serves(ana);
    expectProblem(await asks(eve), 401, 'session_revoked');
  });

  it('does not let anybody in before its first look', async () => {
    const owner = await hang();
    const late = await app.start(['api']);
    assert.equal(await figure('homing_ended_sessions_age_seconds', late), Number.POSITIVE_INFINITY);
    const answer = await call(`http://127.0.0.1:${late.port}`, 'GET', '/v1/me', { token: ana.token });
    expectProblem(answer, 503, 'fenced');
    await owner.query('rollback');
    await owner.end();
    await serves();
  });
});
