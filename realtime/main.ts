import type { Server } from 'node:http';
import { presenceEnded } from '../domain/attention/index.ts';
import { lastSeenNow } from '../domain/presence/index.ts';
import { presenceBeatMs } from '../platform/presence.ts';
import type { Runtime } from '../runtime.ts';
import { guardHandshake } from './handshake.ts';
import { forgetRequests } from './io.ts';
import { limitPackets } from './packet-limit.ts';
import { serveSockets } from './server.ts';

/** Milliseconds over which a stopping node sends its sockets away; longer where the supervisor grants it. */
const drainMs = 1_500;

/** Sockets, on the process's HTTP server. */
export function startRealtime(runtime: Runtime, server: Server): void {
  const { config, deps, io, metrics, presence, revocations, shutdown } = runtime;
  guardHandshake(io, deps, revocations);
  const realtime = serveSockets(io, deps, {
    attach: (deliver) => {
      runtime.live.here = deliver;
    },
    revocations,
    log: deps.log,
    serverVersion: runtime.version,
    observeEvent: (event, outcome, seconds) => metrics.socketEvents.observe({ event, outcome }, seconds),
    countSockets: (open) => metrics.sockets.set(open),
    presence: { ...presence, everyMs: presenceBeatMs },
    onGone: async (userId) => {
      await Promise.all([presenceEnded(deps, userId), lastSeenNow(deps, userId)]);
    },
    checkAnswers: config.NODE_ENV !== 'production',
  });
  // Without REST beside it nothing else would answer a plain request.
  if (server.listenerCount('request') === 0)
    server.on('request', (_request, response) => response.writeHead(404).end());
  io.attach(server);
  forgetRequests(io);
  limitPackets(io, deps.log);
  shutdown.on('drain', 'sockets', () => realtime.drain(drainMs));
  shutdown.on('poll', 'socket sweeps', () => realtime.stop());
}
