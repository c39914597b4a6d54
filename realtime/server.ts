import type { ConversationId, SessionId, UserId } from '../contracts/ids.ts';
import { limits } from '../contracts/limits.ts';
import type { ServerEventPayload } from '../contracts/realtime/index.ts';
import type { SyncRequest } from '../contracts/entities/index.ts';
import type { Revocations } from '../domain/accounts/index.ts';
import { conversationIds } from '../domain/conversations/index.ts';
import type { Deps, Log } from '../domain/deps.ts';
import { sync } from '../domain/sync/index.ts';
import { toSocketError } from './errors.ts';
import { registerHandlers } from './handlers/index.ts';
import { type Io, type IoSocket, rooms, socketLimits } from './io.ts';
import { type OnOptions, closeSoon } from './on.ts';

export interface RealtimeOptions extends OnOptions {
  revocations: Revocations;
  log: Log;
  serverVersion: string;
  presence: {
    beat(sockets: readonly { userId: UserId; socketId: string }[]): Promise<void>;
    leave(userId: UserId, socketId: string): Promise<number>;
    everyMs: number;
  };
  /** Somebody's last socket closed: what waited for their presence is looked at again. */
  onGone: (userId: UserId) => Promise<void>;
  countSockets: (open: number) => void;
}

/** Milliseconds between looks at all sockets: run-out tokens, slow readers. */
const sweepMs = 5_000;
/** Milliseconds by which clocks may differ, as for REST. */
const leewayMs = 60_000;

export interface Realtime {
  /** Tells every socket to come back elsewhere and closes them, spread over the time. */
  drain(overMs: number): Promise<void>;
  stop(): void;
}

/** Serves the sockets of this node. */
export function serveSockets(io: Io, deps: Deps, options: RealtimeOptions): Realtime {
  io.on('connection', (socket) => welcome(socket, deps, options));
  options.revocations.onEnded((ids) => closeSessions(io, ids));
  const timers = [
    setInterval(() => sweep(io, options), sweepMs),
    setInterval(() => void beat(io, options), options.presence.everyMs),
  ];
  return {
    drain: (overMs) => drain(io, overMs),
    stop: () => timers.forEach(clearInterval),
  };
}

/**
 * Handlers first, synchronously, so that no early request is missed; then the rooms, then the sync, so that nothing falls
 * between the state that is read and the events that follow. What arrives live before the hello the client holds back.
 */
function welcome(socket: IoSocket, deps: Deps, options: RealtimeOptions): void {
  const { userId, sessionId } = socket.data.actor;
  socket.on('error', (error: Error) => options.log.warn('a socket failed', { userId, reason: error.message }));
  registerHandlers(socket, deps, options);
  void socket.join([rooms.user(userId), rooms.session(sessionId)]);
  options.countSockets(socket.nsp.sockets.size);
  void options.presence.beat([{ userId, socketId: socket.id }]).catch(() => undefined);
  socket.on('disconnect', () => void goodbye(socket, options));
  greet(socket, deps, options).catch((thrown: unknown) => {
    const { error, cause } = toSocketError(thrown);
    options.log.error('a socket could not be greeted', { userId, error: cause });
    closeSoon(socket, error.code);
  });
}

async function greet(socket: IoSocket, deps: Deps, options: RealtimeOptions): Promise<void> {
  const { actor, expiresAt, known } = socket.data;
  const ids = await conversationIds(deps, actor);
  await socket.join(ids.map((id: ConversationId) => rooms.conversation(id)));
  const hello: ServerEventPayload<'hello'> = {
    sessionId: actor.sessionId,
    userId: actor.userId,
    serverTime: deps.now().toISOString(),
    serverVersion: options.serverVersion,
    accessTokenExpiresAt: expiresAt.toISOString(),
    limits,
    ...(known ? { sync: await sync(deps, actor, { known: known as SyncRequest['known'] }) } : {}),
  };
  socket.emit('hello', hello);
}

async function goodbye(socket: IoSocket, options: RealtimeOptions): Promise<void> {
  const { userId } = socket.data.actor;
  options.countSockets(socket.nsp.sockets.size);
  try {
    const left = await options.presence.leave(userId, socket.id);
    if (left === 0) await options.onGone(userId);
  } catch (error) {
    // Without Redis or the database the grace runs its full length: later, never lost.
    options.log.warn('a leaving was not noted', { userId, reason: (error as Error).message });
  }
}

function closeSessions(io: Io, ids: readonly SessionId[]): void {
  for (const id of ids) {
    const members = io.sockets.adapter.rooms.get(rooms.session(id)) ?? [];
    for (const socketId of [...members]) {
      const socket = io.sockets.sockets.get(socketId);
      if (socket) closeSoon(socket, 'session_revoked');
    }
  }
}

/** Closes sockets whose token has run out and readers that do not keep up. */
function sweep(io: Io, { log }: RealtimeOptions): void {
  const now = Date.now();
  for (const socket of io.sockets.sockets.values()) {
    if (socket.data.expiresAt.getTime() + leewayMs < now) closeSoon(socket, 'token_expired');
    const unsent = unsentBytes(socket);
    if (unsent <= socketLimits.unsentBytes) continue;
    log.warn('a slow reader was disconnected', { userId: socket.data.actor.userId, unsent });
    socket.disconnect(true);
  }
}

/** Bytes that wait in the WebSocket itself; engine.io keeps it behind its transport. */
function unsentBytes(socket: IoSocket): number {
  const { transport } = socket.conn as unknown as { transport?: { socket?: { bufferedAmount?: number } } };
  return transport?.socket?.bufferedAmount ?? 0;
}

async function beat(io: Io, { presence }: RealtimeOptions): Promise<void> {
  const sockets = [...io.sockets.sockets.values()].map((socket) => ({
    userId: socket.data.actor.userId,
    socketId: socket.id,
  }));
  if (sockets.length > 0) await presence.beat(sockets).catch(() => undefined);
}

/** Clients that come back all at once are a stampede: they are sent away a few at a time. */
async function drain(io: Io, overMs: number): Promise<void> {
  const sockets = [...io.sockets.sockets.values()];
  for (const socket of sockets) socket.emit('notice', { kind: 'moving' });
  const slices = Math.min(sockets.length, 20);
  for (let slice = 0; slice < slices; slice += 1) {
    await new Promise((resolve) => setTimeout(resolve, overMs / slices));
    sockets.filter((_, index) => index % slices === slice).forEach((socket) => socket.disconnect(true));
  }
}
