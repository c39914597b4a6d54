import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { unreadableAnswer } from './api/errors.ts';
import { startApi } from './api/main.ts';
import type { Config } from './platform/config.ts';
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
    ...{ requestTimeout: 30_000, headersTimeout: 15_000, keepAliveTimeout: 65_000 },
    // Any other upgrade that a client offers (h2c, by default of some) is passed over, and the request is answered.
    shouldUpgradeCallback: ({ headers, url }) =>
      headers.upgrade?.toLowerCase() === 'websocket' && url?.startsWith('/socket.io/') === true,
  });
  server.on('clientError', refuseUnreadable);
  const ordered = (Object.keys(roles) as Role[]).filter((role) => chosen.includes(role));
  for (const role of ordered) await roles[role](runtime, server);
  const serves = chosen.includes('api') || chosen.includes('realtime');
  if (serves) await listen(server, runtime);
  const port = serves ? (server.address() as AddressInfo).port : undefined;
  runtime.deps.log.info('ready', { roles: chosen, port, version: runtime.version });
  return { runtime, port, stop: (reason) => runtime.shutdown.stop(reason) };
}

/** What Node's parser refuses never becomes a request; it gets its coded answer all the same. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  socket.end(unreadableAnswer(error.code));
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
