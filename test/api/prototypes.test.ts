import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { z } from 'zod';
import { clientEvents } from '../../contracts/realtime/index.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { root } from '../../dev/services/index.ts';
import { type Person, makeGroup, registerPeople, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { expectSamePrototypes, spellings } from '../support/prototypes.ts';
import { openRaw } from '../support/raw-socket.ts';
import { expectStatus } from '../support/rest.ts';
import { connect } from '../support/socket.ts';
import { until } from '../support/until.ts';

const all = Object.values<Endpoint>(endpoints);

/** The names of a body's own fields, of each shape that it may have. */
function fieldsOf(schema: z.ZodType | undefined): string[] {
  if (!schema) return [];
  const { properties, anyOf = [], oneOf = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const others = [...anyOf, ...oneOf].flatMap((each) =>
    typeof each === 'object' ? Object.keys(each.properties ?? {}) : [],
  );
  return [...new Set([...Object.keys(properties ?? {}), ...others])];
}

/** The poison itself, and in place of each field, alone and beside the others. */
const bodiesOf = (schema: z.ZodType | undefined, poison: string): string[] => {
  const fields = fieldsOf(schema);
  const inField = fields.map((field) => `{${JSON.stringify(field)}:${poison}}`);
  const everywhere = `{${fields.map((field) => `${JSON.stringify(field)}:${poison}`).join()}}`;
  return [poison, everywhere, ...inField];
};

describe('what all objects inherit', () => {
  let app: TestApp;
  let ana: Person;
  let bob: Person;
  let group: string;
  before(async () => {
    app = await startApp();
    [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    group = (await makeGroup(ana, [bob])).id;
  });
  after(() => app.stop());

  const pathOf = ({ path }: Endpoint, id: string) =>
    path.replace('{id}', id).replaceAll(/\{\w+\}/g, '01900000-0000-7000-8000-000000000000');
  const ask = async (
    { method }: Endpoint,
    path: string,
    init: RequestInit = {},
    headers: Record<string, string> | [string, string][] = {},
  ) => {
    const given = {
      authorization: `Bearer ${bob.token}`,
      'content-type': 'application/json',
      ...Object.fromEntries(new Headers(headers)),
    };
    const response = await fetch(`${app.url}${path}`, { ...init, method: method.toUpperCase(), headers: given });
    await response.arrayBuffer();
    assert.ok(response.status < 500, `${method} ${path} answered ${response.status}`);
  };

  for (const [spelling, poison] of Object.entries(spellings)) {
    it(`is the same after ${spelling} in every body`, () =>
      expectSamePrototypes(spelling, async () => {
        for (const endpoint of all.filter(({ body }) => body))
          for (const body of bodiesOf(endpoint.body, poison)) await ask(endpoint, pathOf(endpoint, group), { body });
      })).timeout(120_000);

    it(`is the same after ${spelling} in whatever a socket may ask`, () =>
      expectSamePrototypes(spelling, async () => {
        const socket = await openRaw(app.url);
        socket.send(`40${JSON.stringify({ token: bob.token })}`);
        await socket.until('42["hello"');
        let asked = 0;
        const say = async (name: string, payload: string) => {
          asked += 1;
          socket.send(`42${asked}["${name}",${payload}]`);
          assert.ok(await socket.until(`43${asked}[`), `${name} closed the socket: ${payload}`);
        };
        for (const [name, { input }] of Object.entries(clientEvents).filter(([each]) => each !== 'request'))
          for (const payload of bodiesOf(input, poison)) await say(name, payload);
        for (const { operationId, auth } of all.filter((each) => each.auth === 'user'))
          for (const part of ['params', 'query', 'body', 'ifMatch', 'x'])
            if (auth === 'user') await say('request', `{"operation":"${operationId}","${part}":${poison}}`);
        socket.close();
      })).timeout(120_000);
  }

  it('is the same after queries, paths and headers that name it', () =>
    expectSamePrototypes('queries, paths and headers', async () => {
      const keys = ['__proto__', '__proto__[polluted]', '__proto__.polluted', 'constructor[prototype][polluted]'];
      const query = [...keys, 'constructor.prototype.polluted', 'constructor'].map(
        (key) => `${encodeURIComponent(key)}=1`,
      );
      const headers = {
        __proto__x: '1',
        constructor: '1',
        prototype: '1',
        'x-request-id': '__proto__',
        'if-match': '"__proto__"',
      };
      for (const endpoint of all) {
        // One of them ends the session.
        if ((await bob.call('GET', '/v1/me')).status !== 200) bob = await registerPerson(app, 'Bob');
        await ask(endpoint, `${pathOf(endpoint, group)}?${query.join('&')}&${query.join('&')}`);
        for (const id of ['__proto__', 'constructor', 'prototype', 'hasOwnProperty'])
          await ask(endpoint, pathOf(endpoint, id));
        await ask(endpoint, pathOf(endpoint, group), {}, [...Object.entries(headers), ['__proto__', '1']]);
      }
    })).timeout(120_000);

  it('is nothing that a request sets of what is stored', async () => {
    const poison = '{"__proto__":{"text":"inherited"},"clientId":"poisoned-client-id"}';
    const { status } = await ana.call('POST', `/v1/conversations/${group}/messages`, poison);
    assert.equal(status, 400);
  });
});

/**
 * As by Node's own --disable-proto=throw, whoever reaches for `__proto__` throws: but for passport, whose error classes set
 * theirs by it when they are loaded, so that with the switch itself nothing starts.
 */
const protoThrows = `
const { set } = Object.getOwnPropertyDescriptor(Object.prototype, '__proto__');
const refuse = () => { throw Object.assign(new Error('somebody reached for __proto__'), { code: 'ERR_PROTO_ACCESS' }); };
Object.defineProperty(Object.prototype, '__proto__', {
  configurable: true,
  get: refuse,
  set(value) {
    return /node_modules.passport/.test(new Error().stack) ? set.call(this, value) : refuse();
  },
});`;

describe('a server in which __proto__ throws', () => {
  let app: TestApp;
  let child: ChildProcess;
  let url: string;
  before(async () => {
    app = await startApp();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    child = spawn(
      process.execPath,
      ['--import', `data:text/javascript,${encodeURIComponent(protoThrows)}`, 'main.ts', 'api', 'realtime'],
      {
        cwd: root,
        env: { ...app.env, PATH: process.env.PATH, PORT: String(port) },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let said = '';
    child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
    const look = async () => child.exitCode ?? (await fetch(`${url}/readyz`).catch(() => undefined))?.status;
    assert.equal(await until(look, (answer) => answer !== undefined && answer !== 503), 200, said);
  });
  after(async () => {
    if (child.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
    await app.stop();
  });

  it('serves people over REST and sockets', async () => {
    const [ana, bob] = await registerPeople({ ...app, url }, 'Ana', 'Bob');
    const { id } = await makeGroup(ana, [bob]);
    const socket = await connect(url, { token: bob.token });
    const text = 'told to who is connected';
    await send(ana, id, text);
    await socket.heard('event', ({ data }) => JSON.stringify(data).includes(text));
    assert.ok((await socket.ask('events.after', { conversationId: id, after: 0 })).ok);
    expectStatus(await ana.call('GET', '/v1/conversations'), 200);
    socket.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
