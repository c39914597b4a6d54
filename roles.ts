import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { unreadableAnswer } from './api/errors.ts';
import { startApi } from './api/main.ts';
import { type Config, ConfigError } from './platform/config.ts';
import { addressPaths, askWithForgedAddress } from './platform/limits/prove-address.ts';
import { startRealtime } from './realtime/main.ts';
import { type Runtime, createRuntime } from './runtime.ts';
import { startRelay, startWorker } from './workers/main.ts';

/** In this order, whatever order they are asked for in: Socket.IO must find REST's listener to pass requests on to. */
export const roles = {
  api: startApi,
  realtime: startRealtime,
  relay: startRelay,
  worker: startWorker,
} satisfies Record<string, (runtime: Runtime, server: Server) => unknown>;
export type Role = keyof typeof roles;

/** What a connection may take of a process before there is a request of it, and how many may be open. */
export const serverLimits = {
  http: {
    /** Milliseconds from the first byte to the last of the headers, and of the whole request; looked at so often. */
    headersTimeout: 15_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 5_000,
    /** Longer than a balancer keeps a connection that rests, so that it is never the one who is closed upon. */
    keepAliveTimeout: 65_000,
    /** Bytes of a request's line and headers. */
    maxHeaderSize: 16_384,
  },
  /** More than a process serves well; without an end the files of the process would be. */
  connections: 60_000,
};

export interface RunningProcess {
  runtime: Runtime;
  /** The port that REST and sockets answer on; undefined for the other roles. */
  port: number | undefined;
  stop(reason: string): Promise<void>;
}

/** Starts the roles of one process, which share its connections and its HTTP server. */
export async function startRoles(config: Config, chosen: readonly Role[]): Promise<RunningProcess> {
  const runtime = await createRuntime(config, chosen);
  await runtime.revocations.start();
  const server = createServer({
    ...serverLimits.http,
    // Refused by the API itself, as a problem; Node's own answer has neither words nor headers.
    requireHostHeader: false,
    // Any other upgrade that a client offers (h2c, by default of some) is passed over, and the request is answered.
    shouldUpgradeCallback: ({ headers, url }) =>
      headers.upgrade?.toLowerCase() === 'websocket' && url?.startsWith('/socket.io/') === true,
  });
  server.maxConnections = serverLimits.connections;
  const publicUrl = config.HOMING_PUBLIC_URL;
  server.on('clientError', (error, socket) => refuseUnreadable(error, socket, { publicUrl }));
  // What is expected and not known is passed over, as RFC 9110 §10.1.1 allows: the request gets its whole answer.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  const ordered = (Object.keys(roles) as Role[]).filter((role) => chosen.includes(role));
  for (const role of ordered) await roles[role](runtime, server);
  const serves = chosen.includes('api') || chosen.includes('realtime');
  if (serves) await listen(server, runtime);
  const port = serves ? (server.address() as AddressInfo).port : undefined;
  const path = chosen.includes('api') ? addressPaths.api : addressPaths.realtime;
  if (port !== undefined) await proveAddresses(runtime, port, path);
  runtime.deps.log.info('ready', { roles: chosen, port, version: runtime.version });
  return { runtime, port, stop: (reason) => runtime.shutdown.stop(reason) };
}

/** Milliseconds between tries to prove what could not be proved, as the way that people come was not open yet. */
const proveAgainMs = 60_000;

/**
 * Limits by address are worth nothing where anybody may say what theirs is: with more trusted proxies than there are, a
 * request of our own with a made-up address would come from there, and then we do not serve. Without proxies we ask
 * ourselves; with some, by the public address. Where that does not answer yet, we go on asking.
 */
async function proveAddresses(runtime: Runtime, port: number, path: string): Promise<void> {
  const { config, deps, shutdown } = runtime;
  const host = ['0.0.0.0', '::'].includes(config.HOMING_HOST) ? '127.0.0.1' : config.HOMING_HOST;
  const direct = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const url = config.HOMING_TRUSTED_PROXIES === 0 ? direct : config.HOMING_PUBLIC_URL;
  const prove = async () => {
    const found = await askWithForgedAddress(url, path);
    if (found !== 'forged') return found;
    await shutdown.stop('an address that was made up is believed');
    throw new ConfigError([
      'HOMING_TRUSTED_PROXIES is more than the proxies between people and us: a made-up X-Forwarded-For is believed. Set it to how many proxies append to that header.',
    ]);
  };
  if ((await prove()) === 'own') return;
  deps.log.warn(
    'it could not be proved yet that a made-up address is not believed: nobody answers at the public address',
  );
  const again = setInterval(() => {
    prove().then(
      (found) => found === 'own' && clearInterval(again),
      (error: Error) => {
        deps.log.error(error.message);
        process.exit(78);
      },
    );
  }, proveAgainMs);
  shutdown.on('poll', 'proof of addresses', () => clearInterval(again));
}

/** What Node's parser refuses never becomes a request; it gets its coded answer all the same. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex, told: { publicUrl: string }): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  socket.end(unreadableAnswer(error.code, told));
}

function listen(server: Server, { config, shutdown }: Runtime): Promise<void> {
  shutdown.on('refuse', 'http', () => {
    // New connections are refused; requests that run are answered first.
    server.close();
    server.closeIdleConnections();
  });
  shutdown.on('flush', 'http connections', () => server.closeAllConnections());
  const { PORT: port, HOMING_HOST: host } = config;
  return new Promise((resolve, reject) => server.once('error', reject).listen({ port, host, backlog: 4_096 }, resolve));
}
