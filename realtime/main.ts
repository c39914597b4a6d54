import type { Server } from 'node:http';
import { addressPaths } from '../platform/limits/prove-address.ts';
import { presenceBeatMs } from '../platform/presence.ts';
import type { Runtime } from '../runtime.ts';
import { answerAddress } from './address.ts';
import { admitSlowly } from './admission.ts';
import { createGoings } from './goings.ts';
import { guardHandshake, tellTurnedAway } from './handshake.ts';
import { forgetRequests } from './io.ts';
import { limitConnects } from './limit.ts';
import { limitPackets } from './packet-limit.ts';
import { tellRefusals } from './refusals.ts';
import { serveSockets } from './server.ts';

/** Milliseconds over which a stopping node sends its sockets away; longer where the supervisor grants it. */
const drainMs = 1_500;

/** Sockets, on the process's HTTP server. */
export function startRealtime(runtime: Runtime, server: Server): void {
  const { config, deps, io, metrics, presence, revocations, shutdown } = runtime;
  const refused = tellRefusals(deps.log);
  const goings = createGoings(deps, (goings) => presence.leave(goings));
  const realtime = serveSockets(io, deps, {
    attach: (deliver) => {
      runtime.live.here = deliver;
    },
    operations: runtime.operations,
    revocations,
    log: deps.log,
    serverVersion: runtime.version,
    observeEvent: (event, outcome, seconds) => metrics.socketEvents.observe({ event, outcome }, seconds),
    countSockets: (open) => metrics.sockets.set(open),
    countLook: () => metrics.digestLooks.inc(),
    presence: { ...presence, everyMs: presenceBeatMs },
    onGone: async (socket) => void (await goings.push(socket)),
    limits: {
      budgets: runtime.limits,
      events: config.HOMING_RATE_LIMITS.limits['socket-events'],
      countRefused: () => metrics.rateLimits.inc({ limiter: 'socket-events', result: 'refused' }),
    },
    checkAnswers: config.NODE_ENV !== 'production',
    refused,
  });
  // Without REST beside it nothing else would answer a plain request.
  if (server.listenerCount('request') === 0)
    server.on('request', (_request, response) => response.writeHead(404).end());
  io.attach(server);
  // What engine.io refuses it answers in words of its own, before anything of ours; these headers it leaves where they are.
  server.prependListener('request', (request, response) => {
    if (!request.url?.startsWith('/socket.io/')) return;
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
  });
  const { authenticate, limits: budgets, addressOf } = runtime;
  guardHandshake(io, deps, { authenticate, admission: admitSlowly(io), limits: budgets, refused });
  tellTurnedAway(io, refused);
  limitConnects(io, { budgets, addressOf, refused });
  answerAddress(io, addressPaths.realtime, addressOf);
  forgetRequests(io);
  limitPackets(io, deps.log);
  shutdown.on('drain', 'sockets', () => realtime.drain(drainMs));
  shutdown.on('poll', 'socket sweeps', () => realtime.stop());
  shutdown.on('flush', 'who is gone', () => goings.idle());
}
