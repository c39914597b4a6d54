import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Parser } from '@asyncapi/parser';
import { errorCodes } from '../../contracts/errors.ts';
import { limits } from '../../contracts/limits.ts';
import { clientEvents, serverEvents } from '../../contracts/realtime/index.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { call, expectStatus } from '../support/rest.ts';

describe('what the server tells of itself', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  it('is ready, and names each dependency with its state', async () => {
    const { ready, dependencies } = expectStatus(
      await call<{ ready: boolean; dependencies: { name: string; state: string }[] }>(app.url, 'GET', '/readyz'),
      200,
    );
    assert.equal(ready, true);
    assert.deepEqual(
      dependencies.map(({ name }) => name),
      ['postgresql', 'ended-sessions', 'redis', 'object-store'],
    );
    assert.equal(dependencies.find(({ name }) => name === 'postgresql')?.state, 'up');
  });

  it('announces its limits', async () => {
    assert.deepEqual(expectStatus(await call(app.url, 'GET', '/v1/limits'), 200), limits);
  });

  it('serves an OpenAPI 3.1 document that holds every endpoint', async () => {
    const document = expectStatus(
      await call<{ openapi: string; paths: Record<string, Record<string, { operationId: string }>> }>(
        app.url,
        'GET',
        '/openapi.json',
      ),
      200,
    );
    assert.match(document.openapi, /^3\.1/);
    for (const { path, method, operationId } of Object.values(endpoints) as Endpoint[]) {
      assert.equal(document.paths[path]?.[method]?.operationId, operationId, `${method} ${path}`);
    }
    const { Validator } = createRequire(import.meta.url)('@seriousme/openapi-schema-validator') as {
      Validator: new () => { validate(document: object): Promise<{ valid: boolean; errors?: unknown }> };
    };
    const { valid, errors } = await new Validator().validate(document);
    assert.ok(valid, JSON.stringify(errors));
  });

  it('says of each operation that needs a recent proof that it does', async () => {
    // They look at what the person has: a factor in place of the password, or beside it, or another one that came meanwhile.
    const ofTheirOwn: ReadonlySet<string> = new Set(['stepUp', 'changePassword', 'confirmTotp', 'addPasskey']);
    type Operation = { description?: string; responses: Record<string, { description: string }> };
    const { body: document } = await call<{ paths: Record<string, Record<string, Operation>> }>(
      app.url,
      'GET',
      '/openapi.json',
    );
    for (const { path, method, operationId, stepUp } of Object.values(endpoints) as Endpoint[]) {
      const { description = '', responses } = (document.paths[path] as Record<string, Operation>)[method] as Operation;
      const says = [
        /at most five minutes old/.test(description),
        /step_up_required/.test(responses[403]?.description ?? ''),
      ];
      assert.deepEqual(
        says,
        ofTheirOwn.has(operationId) ? [false, true] : [Boolean(stepUp), Boolean(stepUp)],
        operationId,
      );
    }
  });

  it('serves an AsyncAPI document that is valid and holds every socket event', async () => {
    const document = expectStatus(
      await call<{ channels: { socket: { messages: object } } }>(app.url, 'GET', '/asyncapi.json'),
      200,
    );
    const { diagnostics } = await new Parser().parse(JSON.stringify(document));
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === 0),
      [],
    );
    const names = Object.keys(document.channels.socket.messages);
    for (const name of [...Object.keys(clientEvents), ...Object.keys(serverEvents)])
      assert.ok(names.includes(name), name);
  }).timeout(180_000);

  it('serves pages for people: the API and every error code', async () => {
    const docs = await (await fetch(`${app.url}/docs`)).text();
    assert.match(docs, /swagger-ui-bundle\.js/);
    assert.equal((await fetch(`${app.url}/docs/ui/swagger-ui-bundle.js`)).status, 200);
    const errors = await (await fetch(`${app.url}/docs/errors`)).text();
    for (const code of Object.keys(errorCodes)) assert.ok(errors.includes(`id="${code}"`), code);
  });

  it('answers a web page of an allowed origin, and tells no other that it may read', async () => {
    const allow = async (origin: string) =>
      (await call(app.url, 'GET', '/v1/limits', { headers: { origin } })).headers.get('access-control-allow-origin');
    assert.equal(await allow('http://homing.test'), 'http://homing.test');
    assert.equal(await allow('http://evil.test'), null);
  });
});
