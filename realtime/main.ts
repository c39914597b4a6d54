import type { Server } from 'node:http';
import type { UserId } from '../contracts/ids.ts';
import { presenceEnded } from '../domain/attention/index.ts';
import type { Deps } from '../domain/deps.ts';
import { DomainError } from '../domain/errors.ts';
import { type Lane, createLane } from '../domain/lane.ts';
import { lastSeenNow } from '../domain/presence/index.ts';
import { presenceBeatMs } from '../platform/presence.ts';
import type { Runtime } from '../runtime.ts';
import { admitSlowly } from './admission.ts';
import { guardHandshake } from './handshake.ts';
import { forgetRequests } from './io.ts';
import { limitPackets } from './packet-limit.ts';
import { serveSockets } from './server.ts';

/** Milliseconds over which a stopping node sends its sockets away; longer where the supervisor grants it. */
const drainMs = 1_500;

/** Sockets, on the process's HTTP server. */
export function startRealtime(runtime: Runtime, server: Server): void {
  const { config, deps, io, metrics, presence, revocations, shutdown } = runtime;
  const gone = createGoneLane(deps);
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
    onGone: async (userId) => void (await gone.push(userId)),
    checkAnswers: config.NODE_ENV !== 'production',
  });
  // Without REST beside it nothing else would answer a plain request.
  if (server.listenerCount('request') === 0)
    server.on('request', (_request, response) => response.writeHead(404).end());
  io.attach(server);
  guardHandshake(io, deps, { revocations, admission: admitSlowly(io) });
  forgetRequests(io);
  limitPackets(io, deps.log);
  shutdown.on('drain', 'sockets', () => realtime.drain(drainMs));
  shutdown.on('poll', 'socket sweeps', () => realtime.stop());
  shutdown.on('flush', 'who is gone', () => gone.idle());
}

const goneLimits = {
  /** People in one statement. */
  maxBatch: 256,
  /** People who may wait; beyond, their grace runs its full length. */
  maxWaiting: 100_000,
};

/** Whose last socket closed, noted together: when a network goes, thousands go at once. */
function createGoneLane(deps: Deps): Lane<UserId, true> {
  return createLane<UserId, true>({
    ...goneLimits,
    onOverflow: () => new DomainError('overloaded'),
    keyOf: (userId) => userId,
    async run(userIds) {
      await Promise.all([presenceEnded(deps, userIds), lastSeenNow(deps, userIds)]);
      return userIds.map(() => true as const);
    },
  });
}
