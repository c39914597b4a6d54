import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TlsOptions, createServer } from 'node:tls';
import pg from 'pg';
import { createActivities } from '../../activities/index.ts';
import { openDb } from '../../db/client.ts';
import { type Config, readConfig } from '../../platform/config.ts';
import { developmentSecrets } from '../../platform/dev-secrets.ts';
import { openRedis } from '../../platform/redis.ts';
import { temporalTls } from '../../platform/temporal-tls.ts';
import { openTemporal } from '../../temporal/client.ts';
import { installRuntime, runWorkers } from '../../workers/temporal-workers.ts';
import { services } from '../setup/services.ts';
import { createCa } from '../support/certificates.ts';
import { type PrivateServices, privateServices } from '../support/private-services.ts';

const ca = createCa();
const stranger = createCa();
const localhost = ca.issue('localhost');
const silent = { info() {}, warn() {}, error() {} };

/** TLS in front of a service that speaks none itself, as an operator would put it there. */
async function frontOf(target: URL, options: TlsOptions = {}) {
  const server = createServer({ ...localhost, ...options }, (socket) => {
    const behind = connect(Number(target.port), target.hostname);
    socket.pipe(behind).pipe(socket);
    const end = () => (socket.destroy(), behind.destroy());
    for (const one of [socket, behind]) one.on('error', end).on('close', end);
  });
  server.on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

describe('the services behind us, by TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'homing-tls-'));
  const fileOf = (name: string, pem: string) => {
    const path = join(folder, name);
    writeFileSync(path, pem);
    return path;
  };
  const paths = { ca: fileOf('ca.pem', ca.cert), stranger: fileOf('stranger.pem', stranger.cert) };
  after(() => rmSync(folder, { recursive: true }));

  /** The settings of a production that speaks to nobody in the clear. */
  const settingsWith = (env: NodeJS.ProcessEnv): Config =>
    readConfig({
      ...{ ...developmentSecrets(), HOMING_PUBLIC_URL: 'https://chat.example', HOMING_EMAIL_FROM: 'a@chat.example' },
      HOMING_ARGON2_MEMORY: '19',
      ...{ DATABASE_URL: 'postgres://localhost/none', REDIS_URL: 'redis://localhost', TEMPORAL_ADDRESS: 'localhost:1' },
      ...env,
    });

  describe('PostgreSQL', () => {
    let own: PrivateServices;
    let url: URL;
    before(async function () {
      this.timeout(60_000);
      own = await privateServices();
      url = new URL((await own.postgres()).url);
      url.hostname = 'localhost';
    });
    after(() => own.close());

    const ask = async (caFile: string) => {
      const address = `${url.href}?sslmode=verify-full&sslrootcert=${encodeURIComponent(caFile)}`;
      const db = openDb({ url: settingsWith({ DATABASE_URL: address }).DATABASE_URL, applicationName: 'tls' });
      const statement = 'select ssl, version from pg_stat_ssl where pid = pg_backend_pid()';
      try {
        return (await db.query<{ ssl: boolean; version: string }>({ text: statement, values: [] })).rows[0];
      } finally {
        await db.end();
      }
    };

    const speakTls = async () => {
      const admin = new pg.Client(url.href);
      await admin.connect();
      const { rows } = await admin.query<{ data_directory: string }>('show data_directory');
      const data = rows[0]?.data_directory ?? '';
      const { uid, gid } = statSync(data);
      for (const [name, pem] of [
        ['server.crt', localhost.cert],
        ['server.key', localhost.key],
      ] as const) {
        writeFileSync(join(data, name), pem, { mode: 0o600 });
        chownSync(join(data, name), uid, gid);
      }
      await admin.query('alter system set ssl = on');
      await admin.query('select pg_reload_conf()');
      await admin.end();
    };

    it('is asked only once it proves itself by the CA that was named', async () => {
      await assert.rejects(ask(paths.ca), /does not support SSL/);
      await speakTls();
      assert.deepEqual((await ask(paths.ca))?.ssl, true);
      await assert.rejects(ask(paths.stranger), /unable to verify|self-signed|certificate/);
    }).timeout(60_000);
  });

  describe('Redis', () => {
    const ask = async (port: number, caFile: string | undefined) => {
      const settings = settingsWith({ REDIS_URL: `rediss://localhost:${port}`, HOMING_REDIS_CA: caFile });
      const redis = openRedis({ url: settings.REDIS_URL, ca: settings.HOMING_REDIS_CA, role: 'tls', log: silent });
      const failed = once(redis, 'error').then(([error]) => Promise.reject(error as Error));
      failed.catch(() => {});
      try {
        await Promise.race([once(redis, 'ready'), failed]);
        return await redis.ping();
      } finally {
        redis.disconnect();
      }
    };

    it('is asked only once it proves itself by the CA that was named', async () => {
      const front = await frontOf(new URL(services.redisUrl));
      assert.equal(await ask(front.port, paths.ca), 'PONG');
      for (const other of [paths.stranger, undefined])
        await assert.rejects(ask(front.port, other), /unable to verify|certificate/);
      front.close();
    });
  });

  describe('Temporal', () => {
    const own = ca.issue('homing');
    const behind = new URL(`http://${services.temporalAddress}`);
    /** It asks for a certificate of the same CA, and is known by another name than its address. */
    const demanding = { ...ca.issue('temporal.test'), ca: ca.cert, requestCert: true, ALPNProtocols: ['h2'] };
    const settingsOf = (port: number, env: NodeJS.ProcessEnv = {}) =>
      settingsWith({
        TEMPORAL_ADDRESS: `localhost:${port}`,
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: paths.ca,
        TEMPORAL_TLS_SERVER_NAME: 'temporal.test',
        TEMPORAL_TLS_CLIENT_CERT_PATH: fileOf('client.pem', own.cert),
        TEMPORAL_TLS_CLIENT_KEY_PATH: fileOf('client.key', own.key),
        ...env,
      });
    const ask = async (settings: Config) => {
      const { TEMPORAL_ADDRESS: address, HOMING_PAYLOAD_KEYS: payloadKeys } = settings;
      const client = openTemporal({ address, namespace: 'homing-test', payloadKeys, tls: temporalTls(settings) });
      try {
        const { namespaceInfo } = await client.withDeadline(Date.now() + 2_000, () =>
          client.workflowService.describeNamespace({ namespace: 'homing-test' }),
        );
        return namespaceInfo?.name;
      } finally {
        await client.connection.close();
      }
    };

    it('is asked only once both have proved themselves', async () => {
      const front = await frontOf(behind, demanding);
      assert.equal(await ask(settingsOf(front.port)), 'homing-test');
      for (const wrong of [
        { TEMPORAL_TLS_SERVER_CA_CERT_PATH: paths.stranger },
        { TEMPORAL_TLS_SERVER_NAME: undefined },
        { TEMPORAL_TLS_CLIENT_CERT_PATH: undefined, TEMPORAL_TLS_CLIENT_KEY_PATH: undefined },
      ])
        await assert.rejects(ask(settingsOf(front.port, wrong)));
      front.close();
    }).timeout(30_000);

    it('gives work to workers by it', async () => {
      installRuntime(silent);
      const front = await frontOf(behind, demanding);
      const settings = settingsOf(front.port);
      const workers = runWorkers({
        address: settings.TEMPORAL_ADDRESS,
        tls: temporalTls(settings),
        namespace: 'homing-test',
        queuePrefix: `w${randomUUID()}-`,
        payloadKeys: settings.HOMING_PAYLOAD_KEYS,
        activities: createActivities({ log: silent } as never),
        buildId: undefined,
        rates: settings.HOMING_QUEUE_RATES,
        log: silent,
        setUp: false,
      });
      await workers.ready;
      await workers.stop();
      front.close();
    }).timeout(60_000);
  });
});
