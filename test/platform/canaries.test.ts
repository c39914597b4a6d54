import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { text as allOf } from 'node:stream/consumers';
import type { Payload } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Redis } from 'ioredis';
import { TOTP } from 'otpauth';
import type { Me, SecondFactorNeeded, Session, TokenMade } from '../../contracts/entities/index.ts';
import { freePort, root } from '../../dev/services/index.ts';
import { readConfig } from '../../platform/config.ts';
import { openTemporal } from '../../temporal/client.ts';
import { createCodec } from '../../temporal/codec.ts';
import { type Person, makeDirect, makeGroup, phoneNumber, registerDevice, send } from '../factories/person.ts';
import type { TestApp } from '../setup/app.ts';
import { Browser, type Elsewhere, comeBack, somebody, startElsewhere, visit } from '../support/elsewhere.ts';
import { type EchoingProviders, startEchoingProviders } from '../support/echoing-providers.ts';
import { inbox, waitFor } from '../support/inbox.ts';
import { type PrivateServices, privateServices } from '../support/private-services.ts';
import { type RedisListener, listenToRedis, redisContents } from '../support/redis-contents.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

const ofAddresses = ['users', 'verifications', 'notices', 'password_resets', 'identities'];
/** Tables that hold it because that is what they are for. */
const kept: Readonly<Record<string, readonly string[]>> = {
  text: ['messages', 'message_edits', 'drafts'],
  title: ['conversations', 'events'],
  name: ['users'],
  'name of a token': ['access_tokens'],
  address: ofAddresses,
  mailbox: ofAddresses,
  number: ['users', 'verifications', 'notices', 'password_resets'],
  'push token': ['devices'],
  device: ['sessions'],
};

/**
 * P28: one walk through everything that can log or fail, in processes of their own at the level `debug`, with a word of its
 * own in every secret and every text; afterwards each of these words is looked for wherever something is written down.
 */
describe('canaries, after everything that can log or fail', () => {
  let place: Elsewhere;
  let app: TestApp;
  let own: PrivateServices;
  let providers: EchoingProviders;
  let heard: RedisListener;
  let output = '';
  const processes: ChildProcess[] = [];
  const metricsPorts: number[] = [];
  /** A word for each thing, and the thing. */
  const secrets: [what: string, value: string][] = [];
  /** What anybody was answered by the command line, and by refusals to people whom it is not about. */
  let told = '';
  const secret = <Value extends string>(what: string, value: Value): Value => {
    secrets.push([what, value]);
    return value;
  };
  const canary = (what: string) =>
    secret(what, `canary-${what.replaceAll(' ', '-')}-${randomBytes(8).toString('hex')}`);

  before(async function () {
    this.timeout(180_000);
    place = await startElsewhere({ processes: [] });
    ({ app } = place);
    own = await privateServices();
    providers = await startEchoingProviders(app.sandboxUrl, 'refused-for-good');
    for (const name of ['SENDGRID_BASE_URL', 'TWILIO_BASE_URL', 'FCM_BASE_URL']) app.env[name] = providers.url;
    app.url = app.env.HOMING_PUBLIC_URL ?? '';
    for (const name of secretSettings) secret(name, app.env[name] ?? '');
    secret('database password', new URL(app.database.url).password);
    heard = await listenToRedis(redisUrl(), app.env.HOMING_REDIS_PREFIX ?? '');
    for (const roles of [['api', 'realtime'], ['relay'], ['worker']]) await begin(roles);
    await walk();
  });
  after(async () => {
    for (const process of processes) await end(process);
    heard?.stop();
    await providers?.close();
    await own?.close();
    await place?.stop();
  });

  const begin = async (roles: string[], env: NodeJS.ProcessEnv = {}) => {
    const { PATH, HOME } = process.env;
    const port = await freePort();
    metricsPorts.push(port);
    const child = spawn(process.execPath, ['main.ts', ...roles], {
      cwd: root,
      env: { ...app.env, HOMING_LOG_LEVEL: 'debug', HOMING_METRICS_PORT: String(port), PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    processes.push(child);
    let mine = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (said: string) => {
        mine += said;
        output += said;
      });
    await until(
      async () => mine,
      (said) => said.includes('"message":"ready"'),
    );
  };
  const end = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };

  /** Somebody all of whose words are canaries. */
  const register = async (): Promise<Person & { password: string; phone: string }> => {
    const email = secret('address', `${canary('mailbox')}@example.test`);
    const [name, password] = [canary('name'), canary('password')];
    const body = { email, password, displayName: name, device: undefined };
    const answer = await call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/register', { body });
    const { user, session } = expectStatus(answer, 201);
    const token = secret('access token', session.accessToken);
    secret('refresh token', session.refreshToken);
    return {
      ...{ id: user.id, name, email, password, me: user, session, token, phone: secret('number', phoneNumber()) },
      call: (method, path, input, headers = {}) => call(app.url, method, path, { token, body: input, headers }),
    };
  };
  const post = <Body>(path: string, body: unknown) => call<Body>(app.url, 'POST', path, { body });

  const proveContacts = async (person: Person & { phone: string }) => {
    const codeIn = ({ text }: { text?: string | null }) => secret('code', /\b\d{6}\b/.exec(text ?? '')?.[0] ?? '');
    const [mail] = await waitFor(app, { to: person.email, channel: 'email' });
    const wrong = secret('wrong code', String(randomBytes(4).readUInt32BE() % 1_000_000).padStart(6, '0'));
    await person.call('POST', '/v1/me/email/verify', { code: wrong });
    expectStatus(await person.call('POST', '/v1/me/email/verify', { code: codeIn(mail as never) }), 200);
    expectStatus(await person.call('POST', '/v1/me/phone', { phone: person.phone }), 202);
    const [sms] = await waitFor(app, { to: person.phone, channel: 'sms' });
    expectStatus(await person.call('POST', '/v1/me/phone/verify', { code: codeIn(sms as never) }), 200);
  };

  /** Passwords, refresh tokens, an authenticator app, recovery codes, tokens for programs, and what is wrong with each. */
  const signInInAllWays = async (person: Person & { password: string }) => {
    const { email: identifier, password } = person;
    expectProblem(
      await post('/v1/auth/login', { identifier, password: canary('wrong password') }),
      401,
      'invalid_credentials',
    );
    await post('/v1/auth/login', `{"identifier":"${canary('half a body')}`);
    await post('/v1/auth/login', { identifier, password, [canary('unknown field')]: canary('unknown value') });
    await post('/v1/auth/refresh', { refreshToken: canary('made-up refresh token') });
    const { secret: key } = expectStatus(await person.call<{ secret: string }>('POST', '/v1/me/totp'), 200);
    const app2 = new TOTP({ secret: secret('secret of an authenticator app', key) });
    const confirmed = await person.call<{ recoveryCodes: string[] }>('POST', '/v1/me/totp/confirm', {
      code: app2.generate(),
    });
    const codes = expectStatus(confirmed, 200).recoveryCodes;
    for (const code of codes) secret('recovery code', code);
    const { challenge } = expectStatus(await post<SecondFactorNeeded>('/v1/auth/login', { identifier, password }), 202);
    secret('challenge', challenge);
    await post('/v1/auth/second-factor', { challenge, totp: '123123' });
    await post('/v1/auth/second-factor', { challenge, recoveryCode: codes[0] });
    const input = { name: canary('name of a token'), scopes: ['profile:read'] };
    const { token } = expectStatus(await person.call<TokenMade>('POST', '/v1/me/tokens', input), 201);
    expectStatus(await call(app.url, 'GET', '/v1/me', { token: secret('token', token) }), 200);
    expectProblem(await call(app.url, 'GET', `/v1/me?token=${token}`), 401, 'unauthenticated');
    await call(app.url, 'GET', `/v1/me?${canary('query')}=${token}`);
    await call(app.url, 'GET', `/v1/${canary('path')}/${token}`);
    await call(app.url, 'GET', '/v1/me', {
      token: `hom_pat_${canary('made-up token')}`,
      headers: { cookie: canary('cookie') },
    });
  };

  const forgetPassword = async ({ email }: Person) => {
    expectStatus(await post('/v1/auth/password/forgot', { identifier: email }), 202);
    const [mail] = await waitFor(app, { to: email, channel: 'email', text: 'reset-password#' });
    const token = secret('reset token', /reset-password#([\w-]+)/.exec(mail?.text ?? '')?.[1] ?? '');
    await post('/v1/auth/password/reset', {
      token: canary('made-up reset token'),
      password: canary('password for it'),
    });
    expectStatus(await post('/v1/auth/password/reset', { token, password: canary('new password') }), 204);
  };

  /** By a provider whose refusals say back what it was asked with, in words that only its own people are to see. */
  const signInElsewhere = async () => {
    const honest = somebody('Eve');
    secret('address', honest.email);
    expectStatus({ status: (await comeBack(place, honest)).code ? 200 : 0 } as never, 200);
    for (const status of [400, 401, 503]) {
      place.interfere(async (request, response) => {
        if (!request.url?.includes('/token')) return false;
        const asked = await allOf(request);
        secret('authorization code', new URLSearchParams(asked).get('code') ?? 'no code');
        const body = {
          error: canary('error of a provider'),
          error_description: `${asked} ${request.headers.authorization}`,
        };
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        return true;
      });
      assert.ok((await comeBack(place, honest)).error);
    }
    place.interfere(undefined);
    const browser = new Browser();
    const callback = new URL(await visit(browser, `${app.url}/v1/auth/oauth/corp`, honest));
    callback.searchParams.set('error', 'server_error');
    callback.searchParams.set('error_description', canary('description of a provider'));
    secret('state', callback.searchParams.get('state') ?? 'no state');
    for (const { value } of browser.cookies.values()) secret('sealed cookie', value);
    await browser.go(callback.href);
  };

  const writeEverywhere = async (ana: Person, readers: Person[]) => {
    const group = await makeGroup(ana, readers, canary('title'));
    const path = `/v1/conversations/${group.id}`;
    const message = await send(ana, group.id, canary('text'));
    expectStatus(
      await ana.call('PATCH', `${path}/messages/${message.id}`, { clientId: randomUUIDv7(), text: canary('text') }),
      200,
    );
    expectStatus(await ana.call('PUT', `${path}/draft`, { text: canary('text') }), 200);
    await send(ana, group.id, canary('text'), { priority: 'urgent' });
    await ana.call('POST', `${path}/messages`, { clientId: 'no id', text: canary('refused text') });
    for (const reader of readers) await send(ana, (await makeDirect(ana, reader)).id, canary('text'));
    return group.id;
  };

  /** A statement of each kind that fails in the database, which names the row that it failed on. */
  const failInDatabase = async (ana: Person, group: string) => {
    const path = `/v1/conversations/${group}`;
    const planted = [
      'alter table messages add constraint planted check (text not like $$%fails here%$$) not valid',
      'alter table users add constraint planted check (display_name not like $$%fails here%$$) not valid',
      `create function planted() returns trigger language plpgsql as $$ begin
         raise exception 'planted' using detail = old::text, hint = old::text; end $$`,
      'create trigger planted before delete on drafts for each row execute function planted()',
      'revoke select on reactions from homing_app, homing_person',
    ];
    for (const statement of planted) await app.database.run(statement);
    const fails = async (method: string, at: string, body?: unknown) => {
      const answer = await ana.call(method, at, body);
      assert.ok(answer.status >= 500, `${method} ${at} answered ${answer.status}`);
      told += JSON.stringify(answer.body);
    };
    await fails('POST', `${path}/messages`, { clientId: randomUUIDv7(), text: `${canary('lost text')} fails here` });
    await fails('PATCH', '/v1/me', { displayName: `${canary('lost name').slice(0, 40)} fails here` });
    await fails('DELETE', `${path}/draft`);
    await fails('GET', `${path}/messages`);
    const email = secret('lost address', `${canary('lost-mailbox')}@example.test`);
    const body = { email, password: canary('lost password'), displayName: 'fails here' };
    assert.equal((await post('/v1/auth/register', body)).status, 500);
    const undone = [
      'alter table messages drop constraint planted',
      'alter table users drop constraint planted',
      'drop trigger planted on drafts',
      'grant select on reactions to homing_app, homing_person',
    ];
    for (const statement of undone) await app.database.run(statement);
  };

  const loseRedis = async (ana: Person, group: string) => {
    const redis = await own.redis();
    const port = String(await freePort());
    await begin(['api', 'realtime'], { REDIS_URL: redis.url, PORT: port });
    await redis.stop();
    const body = { clientId: randomUUIDv7(), text: canary('text') };
    const url = `http://127.0.0.1:${port}`;
    await call(url, 'POST', `/v1/conversations/${group}/messages`, { token: ana.token, body });
    await call(url, 'POST', '/v1/auth/login', { body: { identifier: ana.email, password: canary('wrong password') } });
  };

  const askCommandLine = async (ids: string[]) => {
    const token = canary('token on the command line');
    const commands = [
      ['audit', 'verify'],
      ['jobs'],
      ['users', 'suspend', '--nonsense', token],
      ['tokens', 'end'],
      ...ids.map((id) => ['story', id]),
    ];
    for (const args of commands) {
      const child = spawn(process.execPath, [join(root, 'cli/main.ts'), ...args], {
        env: { ...app.env, PATH: process.env.PATH },
      });
      child.stdin.end(`${args[0] === 'tokens' ? token : ''}\n`);
      const [out, err] = await Promise.all([allOf(child.stdout), allOf(child.stderr), once(child, 'exit')]);
      // What is typed is said back to who typed it.
      told += args.includes(token) ? '' : `${out}${err}`;
    }
  };

  const walk = async () => {
    const [ana, bob, refused] = [await register(), await register(), await register()];
    for (const person of [ana, bob]) await proveContacts(person);
    secret('push token', await registerDevice(bob, canary('push token')));
    await registerDevice(refused, secret('push token', `refused-for-good-${randomBytes(8).toString('hex')}`));
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: { sms: true } }), 200);
    const group = await writeEverywhere(ana, [bob, refused]);
    await signInInAllWays(ana);
    await signInElsewhere();
    await forgetPassword(bob);
    await failInDatabase(ana, group);
    await loseRedis(ana, group);
    await askCommandLine([ana.id, bob.id, refused.id]);
    await waitFor(app, { to: bob.phone, channel: 'sms', text: '/o?n=' });
    assert.ok(providers.echoes() >= 5, 'each provider has said back what it was sent');
    assert.ok((await inbox(app)).length > 5);
  };

  const redisUrl = () => app.env.REDIS_URL ?? '';
  const redisText = async () => {
    const { keys, text } = await redisContents(redisUrl(), app.env.HOMING_REDIS_PREFIX ?? '');
    assert.ok(keys > 0);
    return text;
  };

  /** Every way in which something may be written that is still to be read. */
  const writings = (value: string) => {
    const bytes = Buffer.from(value);
    return [
      value,
      bytes.toString('base64').replace(/=+$/, ''),
      bytes.toString('base64url'),
      bytes.toString('hex'),
      encodeURIComponent(value),
    ];
  };
  /** Six digits stand in many a number; a code stands alone. */
  const standsIn = (content: string, value: string) =>
    value.length > 6 ? content.indexOf(value) : content.search(new RegExp(`(?<![\\w.-])${value}(?![\\w-])`));
  const foundIn = (content: string, but: readonly string[] = []): string[] =>
    secrets.flatMap(([what, value]) => {
      if (but.includes(what)) return [];
      assert.ok(value.length >= 6, `there is no ${what}`);
      return writings(value).flatMap((written) => {
        const at = standsIn(content, written);
        return at < 0 ? [] : [`${what}: ${content.slice(Math.max(0, at - 120), at + written.length + 20)}`];
      });
    });

  it('the logs of every process hold none', () => {
    assert.ok(secrets.length > 60 && output.length > 10_000 && output.includes('a request failed'));
    assert.deepEqual(foundIn(output), []);
  });

  it('metrics, and what refusals and the command line say, hold none', async () => {
    let metrics = '';
    for (const port of metricsPorts) metrics += await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(metrics, /homing_/);
    assert.deepEqual(foundIn(metrics), []);
    // Support is shown people by their names.
    assert.deepEqual(foundIn(told, ['name']), []);
  });

  it('Temporal holds none: histories, failures, memos, search attributes and heartbeats, sealed and opened', async () => {
    const { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, HOMING_PAYLOAD_KEYS } = readConfig(app.env);
    const client = openTemporal({ address, namespace, payloadKeys: HOMING_PAYLOAD_KEYS });
    const prefix = app.env.HOMING_TASK_QUEUE_PREFIX ?? '';
    const codec = createCodec(HOMING_PAYLOAD_KEYS);
    let [seen, legible] = [0, ''];
    for await (const { workflowId, runId, taskQueue } of client.workflow.list()) {
      if (!taskQueue.startsWith(prefix)) continue;
      seen += 1;
      const handle = client.workflow.getHandle(workflowId, runId);
      const [history, { raw }] = [await handle.fetchHistory(), await handle.describe()];
      const opened = await codec.decode(payloadsOf([history, raw]));
      const plain = opened.map(({ data }) => Buffer.from(data ?? []).toString('utf8')).join('\n');
      legible += plain;
      assert.deepEqual(foundIn(`${workflowId}\n${historyToJSON(history)}\n${JSON.stringify(raw)}\n${plain}`), []);
    }
    await client.connection.close();
    assert.ok(seen >= 4, `${seen} workflows`);
    assert.ok(legible.includes('"userId"'), 'payloads are read as those see them who have the key');
  }).timeout(60_000);

  it('Redis holds none, and is told none but in live events', async () => {
    assert.deepEqual(foundIn(await redisText()), []);
    assert.ok(heard.written().length > 1_000 && heard.published().length > 1_000);
    assert.deepEqual(foundIn(heard.written()), []);
    // These are what live events are for.
    assert.ok(foundIn(heard.published()).some((found) => found.startsWith('text')));
    assert.deepEqual(foundIn(heard.published(), ['text', 'title', 'name']), []);
  });

  it('what is planted in Redis is found, whatever its type and its database', async () => {
    const redis = new Redis(redisUrl());
    const key = `${app.env.HOMING_REDIS_PREFIX}:planted`;
    const word = canary('planted in Redis');
    // What repeats is what a dump compresses.
    const value = `${word}, and again ${word}`;
    const plants: [command: string, ...args: string[]][] = [
      ['SET', key, value],
      ['HSET', key, 'field', value],
      ['HSET', key, value, '1'],
      ['RPUSH', key, value],
      ['SADD', key, value],
      ['ZADD', key, '1', value],
      ['XADD', key, '*', 'field', value],
      ['SET', `${key}:${value}`, '1'],
    ];
    for (const database of [0, 15])
      for (const [command, ...args] of plants) {
        await redis.select(database);
        await redis.call(command, ...args);
        assert.notDeepEqual(foundIn(await redisText()), [], `${command} in database ${database}`);
        await redis.del(args[0] ?? '');
        assert.deepEqual(foundIn(await redisText()), []);
      }
    await redis.quit();
  });

  it('no table holds one but those that are for it', async () => {
    const tables = await place.sql(
      "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    );
    const messages = await place.sql('select t::text as row from messages t');
    assert.ok(foundIn(JSON.stringify(messages)).length >= 3, 'what is there is found');
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await place.sql(`select t::text as row from ${String(name)} t`);
      const but = Object.keys(kept).filter((what) => kept[what]?.includes(String(name)));
      found.push(
        ...foundIn(rows.map(({ row }) => String(row)).join('\n'), but).map((each) => `${String(name)}: ${each}`),
      );
    }
    assert.deepEqual(found, []);
  });
});

const secretSettings = [
  ...['SENDGRID_API_KEY', 'TWILIO_AUTH_TOKEN', 'HOMING_SECRET_KEY', 'HOMING_PASSWORD_PEPPER', 'HOMING_FACTOR_KEYS'],
  ...['HOMING_PAYLOAD_KEYS', 'HOMING_KEY_ENCRYPTION_KEYS'],
];

function payloadsOf(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) return [value as Payload];
  return Object.values(value).flatMap(payloadsOf);
}
