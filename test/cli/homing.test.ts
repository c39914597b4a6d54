import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Reconciliation, Session, TokenMade, UserStory, Why } from '../../contracts/entities/index.ts';
import type { AuditEntry } from '../../contracts/entities/index.ts';
import { root } from '../../dev/services/index.ts';
import { makeDirect, password, registerDevice, registerPeople, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clockOf } from '../support/clock.ts';
import { switchOnApp } from '../support/factors.ts';
import { waitFor } from '../support/inbox.ts';
import { patientLadder, stuckText } from '../support/jobs.ts';
import { call, expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

/** Milliseconds that some commands may take until one of them finds what it is to find. */
const commandsMs = 60_000;

describe('the command line', function () {
  this.timeout(180_000);
  let app: TestApp;
  before(async () => {
    app = await startApp({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { HOMING_LADDER: patientLadder },
    });
  });
  after(() => app.stop());

  async function homing(args: string[], input = '', env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [join(root, 'cli', 'main.ts'), ...args], { env: { ...app.env, ...env } });
    child.stdin.end(input);
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number]>,
    ]);
    return { status, stdout, stderr };
  }
  async function done(args: string[], input?: string): Promise<string> {
    const { status, stdout, stderr } = await homing(args, input);
    assert.equal(status, 0, stderr);
    return stdout;
  }

  it('ends a token that was found, whoever’s it is, and says whose', async () => {
    const ana = await registerPerson(app, 'Ana');
    const body = { name: 'Deploy', scopes: ['profile:read'] };
    const { token } = expectStatus(await ana.call<TokenMade>('POST', '/v1/me/tokens', body), 201);
    expectStatus(await call(app.url, 'GET', '/v1/me', { token }), 200);
    const { userId } = JSON.parse(await done(['tokens', 'end', '--json'], `${token}\n`)) as { userId: string };
    assert.equal(userId, ana.id);
    await until(
      () => call(app.url, 'GET', '/v1/me', { token }),
      ({ status }) => status === 401,
    );
    for (const given of [token, 'hom_pat_x', '']) assert.equal((await homing(['tokens', 'end'], given)).status, 1);
  });

  it('makes the first admin, who signs in and reads in the audit who made them', async () => {
    const email = 'first.admin@example.test';
    const args = ['users', 'create', '--role', 'admin', '--name', 'Olga', '--email', email, '--json'];
    const { id } = JSON.parse(await done(args, `${password}\n`)) as { id: string };
    const login = { body: { identifier: email, password } };
    const { session } = expectStatus(await call<{ session: Session }>(app.url, 'POST', '/v1/auth/login', login), 200);
    const asked = await call<{ items: AuditEntry[] }>(app.url, 'GET', '/v1/admin/audit', {
      token: session.accessToken,
    });
    const made = expectStatus(asked, 200).items.find(({ userId }) => userId === id);
    assert.equal(made?.action, 'create_user');
    assert.ok('operator' in (made?.by ?? {}));
    const twice = await homing(args, password);
    assert.deepEqual([twice.status, /identifier_taken[^]*email belongs to another/.test(twice.stderr)], [1, true]);
  });

  it('takes away the factors of who has lost them, of the last admin as well', async () => {
    const ana = await registerPerson(app, 'Ana');
    await app.database.run(`update users set role = 'admin' where id = '${ana.id}'`);
    await switchOnApp(ana, clockOf({ processes: app.processes.slice(0, 1) }));
    assert.match(
      await done(['users', 'remove-factors', ana.id]),
      /^Taken away from \S+: an authenticator app, 0 passkeys, 10 recovery codes\. 1 sessions ended/,
    );
    assert.match(await done(['users', 'remove-factors', ana.id]), /has no second factor; nothing was changed/);
    const again = JSON.parse(await done(['users', 'remove-factors', ana.id, '--json'])) as object;
    assert.deepEqual(again, { id: ana.id, totp: false, passkeys: 0, recoveryCodes: 0, sessions: 0 });
    const absent = await homing(['users', 'remove-factors', '01900000-0000-7000-8000-000000000000']);
    assert.deepEqual([absent.status, /not_found/.test(absent.stderr)], [1, true]);
  });

  it('tells why, and the story, in words and as JSON', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const token = await registerDevice(bob);
    const { id } = await makeDirect(ana, bob);
    const message = await send(ana, id, 'the secret words');
    await waitFor(app, { to: token });
    await until(
      async () => JSON.parse(await done(['why', bob.id, message.id, '--json'])) as Why,
      ({ terminal }) => terminal.reason === 'announced',
    );
    const words = await done(['why', bob.id, message.id]);
    assert.match(words, /^sent: The provider took a notification/);
    assert.match(words, /fcm said accepted/);
    const story = JSON.parse(await done(['users', 'story', bob.id, '--json'])) as UserStory;
    assert.equal(story.items[0]?.attempts[0]?.channel, 'push');
    const told = await done(['users', 'story', bob.id]);
    assert.match(told, /mail b…@example\.test[^]*Episode 1, since/);
    const attempt = await done(['attempt', String(story.items[0]?.attempts[0]?.id)]);
    assert.match(
      attempt,
      new RegExp(`^push to ${bob.id}[^]*decided: [^]*fcm said accepted[^]*tells message 1 of ${id}`),
    );
    for (const hidden of ['the secret words', bob.email, token])
      assert.ok(!(words + told + attempt).includes(hidden), hidden);
  });

  it('says whether everybody was told, and reads again what was not understood', async () => {
    const { differences, walks } = JSON.parse(await done(['reconcile', '--json'])) as Reconciliation;
    assert.deepEqual([differences.not_armed, differences.no_outcome], [0, 0]);
    assert.ok(walks.some(({ name }) => name === 'messages'));
    assert.match(await done(['reconcile', '--rearm']), /^0 differences\n[^]*0 messages are armed again/);
    assert.equal(await done(['reports', 'unreadable']), 'Everything was understood.\n');
    assert.match(await done(['reports', 'replay']), /^0 understood and taken, 0 not/);
  });

  it('lists the jobs that need a person, shows one, and mends it', async () => {
    const { id, phone } = await stuckText(app);
    await until(
      () => done(['jobs', 'list', '--where', 'reason=sms_outcome_unknown,provider=twilio,older=0']),
      (said) => said.includes(`${id}  sms_outcome_unknown (twilio), since`),
      commandsMs,
    );
    assert.equal(await done(['jobs', 'list', '--where', 'older=60']), 'No job needs a person.\n');
    const shown = await done(['jobs', 'show', id]);
    assert.match(shown, /SMS needs attention[^]*You may: retry, skip, snooze, close\./);
    assert.match(await done(['jobs', 'snooze', id, '--minutes', '30']), /^sms is tried again at/);
    assert.equal(await done(['jobs', 'retry', id, '--note', 'Twilio is back']), 'sms is tried again now.\n');
    await waitFor(app, { to: phone });
    const { status, stderr } = await homing(['jobs', 'retry', id]);
    assert.deepEqual([status, /^(job_ended|nothing_to_mend): /.test(stderr)], [1, true], stderr);
  });

  it('mends all jobs of some conditions; a dry run only says which', async () => {
    const [one, other] = [await stuckText(app), await stuckText(app)];
    const where = ['--where', 'reason=sms_outcome_unknown'];
    const dry = await until(
      () => done(['jobs', 'retry', ...where, '--dry-run']),
      (said) => said.includes(one.id) && said.includes(other.id),
      commandsMs,
    );
    assert.match(dry, /^2 would be asked\.\n/);
    assert.match(await done(['jobs', 'retry', ...where, '--rate', '20']), /^2 matched: 2 done, 0 needed nothing/);
    for (const { phone } of [one, other]) await waitFor(app, { to: phone });
  });

  it('rotates the signing keys, says where each stands, and it is written down who did', async () => {
    assert.match(await done(['keys', 'list']), /Until one does, the first key of HOMING_JWT_KEYS signs\.$/m);
    const { kid } = JSON.parse(await done(['keys', 'rotate', '--json'])) as { kid: string };
    assert.match(await done(['keys', 'list']), new RegExp(`^${kid}  next, signs from `));
    const { rows } = await app.database.run(`select operator, user_id from audit where action = 'rotate_keys'`);
    assert.equal(rows.length, 1);
    assert.ok(rows[0].operator && rows[0].user_id === null);
  });

  it('says whether the audit is whole, whether it still holds what was kept of it, and where it breaks', async () => {
    const head = /[1-9]\d*:[0-9a-f]{64}/.exec(await done(['audit', 'verify']))?.[0] ?? '';
    assert.match(await done(['audit', 'verify', '--head', head]), /^It is whole/);
    const seq = Number.parseInt(head, 10);
    await app.database.run(`begin; create table kept as select * from audit where seq = ${seq}; commit`);
    await app.database.run(`update audit set action = 'why' where seq = ${seq}`);
    const { status, stderr } = await homing(['audit', 'verify']);
    assert.deepEqual(
      [status, stderr],
      [1, `conflict: The audit breaks at entry ${seq}: it was changed, or what stood before it was.\n`],
    );
    await app.database.run(
      `update audit set action = kept.action from kept where audit.seq = kept.seq; drop table kept`,
    );
    assert.match(await done(['audit', 'verify', '--head', head]), /^It is whole/);
  });

  it('gives a role, which counts at once', async () => {
    const ana = await registerPerson(app, 'Ana');
    const path = `/v1/admin/users/${ana.id}/story`;
    expectStatus(await ana.call('GET', path), 403);
    await done(['users', 'role', ana.id, 'support']);
    expectStatus(await ana.call('GET', path), 200);
    await done(['users', 'role', ana.id, 'member']);
    expectStatus(await ana.call('GET', path), 403);
  });

  it('what it does not understand, does not find or is not set up for has its own exit code and says what helps', async () => {
    const nobody = '01900000-0000-7000-8000-000000000000';
    const cases: [string[], number, RegExp, NodeJS.ProcessEnv?][] = [
      [[], 2, /homing why USER MESSAGE/],
      [['why', nobody], 2, /homing why USER MESSAGE/],
      [['why', nobody, nobody, '--loud'], 2, /--loud/],
      [['why', nobody, nobody], 1, /^not_found/],
      [['attempt', nobody], 1, /^not_found/],
      [['attempt', 'push'], 1, /invalid_input[^]*ATTEMPT/],
      [['why', 'bob', nobody], 1, /invalid_input[^]*USER/],
      [['users', 'role', nobody, 'king'], 1, /invalid_input[^]*ROLE/],
      [['users', 'role', nobody, 'admin'], 1, /^not_found/],
      [['jobs', 'retry'], 2, /Name one job/],
      [['jobs', 'retry', `attention.${nobody}.1`, '--where', 'all'], 2, /Name one job/],
      [['jobs', 'retry', `attention.${nobody}.1`], 1, /^not_found/],
      [['jobs', 'list', '--where', 'mood=bad'], 1, /invalid_input[^]*mood/],
      [['jobs', 'retry', '--where', 'all', '--rate', '21'], 1, /invalid_input[^]*rate/],
      [['audit', 'verify', '--head', '12'], 1, /invalid_input[^]*--head must be a head/],
      [['jobs', 'list'], 1, /^unavailable: Temporal cannot be reached/, { TEMPORAL_ADDRESS: '127.0.0.1:9' }],
      [['why', nobody, nobody], 78, /DATABASE_URL/, { DATABASE_URL: '' }],
    ];
    for (const [args, expected, words, env] of cases) {
      const { status, stderr } = await homing(args, '', env);
      assert.equal(status, expected, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, words);
      assert.ok(!/\n +at /.test(stderr), stderr);
    }
    assert.match(await done(['--help']), /homing users story USER/);
  });
});
