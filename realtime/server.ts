import type { ErrorCode } from '../contracts/errors.ts';
import type { SessionId, UserId } from '../contracts/ids.ts';
import { limits } from '../contracts/limits.ts';
import type { ServerEventPayload } from '../contracts/realtime/index.ts';
import type { Revocations } from '../domain/accounts/index.ts';
import type { Connection, Deps, Log } from '../domain/deps.ts';
import { hasScope } from '../domain/access/index.ts';
import { loadBlocks, loadFollowers, loadFollowing } from '../domain/live/index.ts';
import { stillSeen } from '../domain/presence/index.ts';
import { getUnread } from '../domain/receipts/index.ts';
import { sync } from '../domain/sync/index.ts';
import { createBadges } from './badges.ts';
import type { BusItem } from './bus.ts';
import { type Delivery, createDelivery } from './delivery.ts';
import { startDigests } from './digests.ts';
import { toSocketError } from './errors.ts';
import { Follows } from './follows.ts';
import type { Going } from './goings.ts';
import { type AskOperations, createListeners } from './handlers/index.ts';
import type { Io, IoSocket } from './io.ts';
import { type Listeners, type OnOptions, closeSoon, listen } from './on.ts';
import { type Outlet, acknowledgeThrough, createOutlet } from './outlet.ts';
import { type PresenceWatch, watchPresence } from './presence-watch.ts';

export interface RealtimeOptions extends OnOptions {
  /** Runs what REST offers, too. */
  operations: AskOperations;
  revocations: Revocations;
  log: Log;
  serverVersion: string;
  presence: {
    beat(sockets: readonly (Connection & { userId: UserId; socketId: string })[]): Promise<void>;
    everyMs: number;
  };
  /** Takes what this node gives to its sockets of what happens in its own process. */
  attach: (deliver: (item: BusItem) => void) => void;
  /** A socket closed. Where it was somebody's last one, what waited for their presence is looked at again. */
  onGone: (going: Going) => Promise<void>;
  countSockets: (open: number) => void;
  /** The digest has looked at one more slice of the conversations. */
  countLook: () => void;
}

/** Milliseconds between looks at all sockets for tokens that have run out. */
const sweepMs = 5_000;
/** Milliseconds by which clocks may differ, as for REST; of a token's time nobody else's clock has a part. */
const leewayMs = 60_000;

export interface Realtime {
  /** Tells every socket to come back elsewhere and closes them, spread over the time. */
  drain(overMs: number): Promise<void>;
  stop(): void;
}

/** What this node's sockets share. */
interface Node {
  deps: Deps;
  options: RealtimeOptions;
  follows: Follows;
  outlet: Outlet;
  delivery: Delivery;
  presence: PresenceWatch;
  listeners: Listeners;
  /** Of people whose memberships are being loaded. */
  loading: Map<UserId, Promise<void>>;
}

/** Serves the sockets of this node. */
export function serveSockets(io: Io, deps: Deps, options: RealtimeOptions): Realtime {
  const follows = new Follows();
  const outlet = createOutlet({ onSlow: (socket, unsent) => dropSlow(socket, unsent, options.log) });
  const badges = createBadges({ follows, outlet, count: (userId) => getUnread(deps, { userId }), log: options.log });
  const presence = watchPresence({ deps, follows, outlet });
  const delivery = createDelivery({
    follows,
    outlet,
    membersAmong: (id, userIds) => loadFollowers(deps, id, userIds),
    blocksOf: (userId) => loadBlocks(deps, userId),
    visibilityChanged: (userId) => presence.visibilityChanged(userId),
    membersChanged: (id) => presence.membersChanged(id),
    unreadChanged: (userId) => badges.changed(userId),
    countsMoved: (userId) => badges.moved(userId),
    log: options.log,
  });
  const listeners = createListeners({
    deps,
    options,
    operations: options.operations,
    presence,
    confirm: (one) => confirm(one, options),
  });
  const node: Node = { deps, options, follows, outlet, delivery, presence, listeners, loading: new Map() };
  options.attach(delivery.deliver);
  io.on('items', (items) => items.forEach(delivery.deliver));
  io.on('connection', (socket) => welcome(socket, node));
  options.revocations.onEnded((ids) => closeSessions(io, ids));
  options.revocations.onFenced(() => io.sockets.sockets.forEach((socket) => closeSoon(socket, 'fenced')));
  const digests = startDigests({ deps, follows, delivery, outlet, log: options.log, onLook: options.countLook });
  const timers = [setInterval(() => sweep(io, deps, options), sweepMs), startBeats(io, node)];
  return {
    drain: (overMs) => drain(io, overMs),
    stop() {
      timers.forEach(clearInterval);
      digests.stop();
      delivery.stop();
      presence.stop();
      badges.stop();
    },
  };
}

/**
 * Handlers first, synchronously, so that no early request is missed; then what the person follows, then the sync, so that
 * nothing falls between the state that is read and the events that follow. What arrives live before the hello the client
 * holds back.
 */
function welcome(socket: IoSocket, node: Node): void {
  const { options, follows } = node;
  const { userId, sessionId } = socket.data.actor;
  acknowledgeThrough(node.outlet, socket);
  listen(socket, node.listeners, options.limits);
  socket.on('error', (thrown: unknown) => {
    const reason = thrown instanceof Error ? thrown.message : 'unknown';
    options.log.warn('a socket failed', { userId, reason });
  });
  // The session may have ended between the look at the table and now, when the word of it found no socket.
  const refusal = refusalOf(sessionId, options);
  if (refusal) {
    socket.data.greeted();
    return closeSoon(socket, refusal);
  }
  follows.connect(userId, socket);
  options.countSockets(socket.nsp.sockets.size);
  void confirm(socket, options);
  socket.on('disconnect', () => void goodbye(socket, node));
  greet(socket, node)
    .catch((thrown: unknown) => {
      const { error, cause } = toSocketError(thrown);
      options.log.error('a socket could not be greeted', { userId, error: cause });
      closeSoon(socket, error.code);
    })
    .finally(socket.data.greeted);
}

async function greet(socket: IoSocket, node: Node): Promise<void> {
  const { deps, options, follows } = node;
  const { actor, expiresAt, known } = socket.data;
  await following(actor, node);
  const hello: ServerEventPayload<'hello'> = {
    sessionId: actor.sessionId,
    userId: actor.userId,
    serverTime: deps.now().toISOString(),
    serverVersion: options.serverVersion,
    accessTokenExpiresAt: expiresAt.toISOString(),
    limits,
    blocked: [],
    ...(known ? { sync: await sync(deps, actor, { known }) } : {}),
  };
  // Read last: each change from here on is told behind the hello.
  if (hasScope(actor, 'profile:read')) hello.blocked = [...(follows.user(actor.userId)?.blocked ?? [])];
  socket.emit('hello', hello);
  // All that the client named is judged, and would stay as long as the socket.
  socket.data.known = undefined;
  socket.handshake.auth = {};
}

/** The person's memberships stand in the index: loaded with their first socket here, awaited by every further one. */
function following(actor: IoSocket['data']['actor'], node: Node): Promise<void> {
  const { follows, loading, delivery } = node;
  const user = follows.user(actor.userId);
  const underWay = loading.get(actor.userId);
  if (underWay) return underWay;
  if (!user) return Promise.resolve();
  if (user.loaded) return delivery.lookAtBlocks(actor.userId);
  const load = register(actor, node).finally(() => loading.delete(actor.userId));
  loading.set(actor.userId, load);
  return load;
}

async function register(actor: IoSocket['data']['actor'], { deps, follows, delivery }: Node): Promise<void> {
  const [memberships] = await Promise.all([loadFollowing(deps, actor), delivery.lookAtBlocks(actor.userId)]);
  const user = follows.user(actor.userId);
  // The last socket closed meanwhile.
  if (!user) return;
  user.loaded = true;
  for (const membership of memberships) delivery.follow(user, membership);
}

async function goodbye(socket: IoSocket, { follows, options, presence }: Node): Promise<void> {
  const { userId } = socket.data.actor;
  follows.disconnect(userId, socket);
  presence.forget(socket);
  options.countSockets(socket.nsp.sockets.size);
  if (!isSomebody(socket)) return;
  try {
    await options.onGone({ userId, socketId: socket.id });
  } catch (error) {
    // Without Redis or the database the grace runs its full length: later, never lost.
    options.log.warn('a leaving was not noted', { userId, reason: (error as Error).message });
  }
}

function closeSessions(io: Io, ids: readonly SessionId[]): void {
  const ended = new Set(ids);
  for (const socket of io.sockets.sockets.values())
    if (ended.has(socket.data.actor.sessionId)) closeSoon(socket, 'session_revoked');
}

/** A reader that does not keep up is disconnected: it comes back and catches up by version. */
function dropSlow(socket: IoSocket, unsent: number, log: Log): void {
  log.warn('a slow reader was disconnected', { userId: socket.data.actor.userId, unsent });
  socket.disconnect(true);
}

function refusalOf(id: SessionId, { revocations }: Pick<RealtimeOptions, 'revocations'>): ErrorCode | undefined {
  try {
    revocations.guard(id);
    return undefined;
  } catch (thrown) {
    return toSocketError(thrown).error.code;
  }
}

/**
 * Closes sockets whose token has run out or was signed by a key that is known no more, or whose session has ended without
 * their having heard of it.
 */
function sweep(io: Io, { tokens }: Pick<Deps, 'tokens'>, options: RealtimeOptions): void {
  const now = Date.now();
  for (const socket of io.sockets.sockets.values()) {
    const refusal = refusalOf(socket.data.actor.sessionId, options);
    if (refusal) closeSoon(socket, refusal);
    else if (socket.data.kid !== null && !tokens.knows(socket.data.kid)) closeSoon(socket, 'unauthenticated');
    else if (socket.data.expiresAt.getTime() + (socket.data.actor.scopes ? 0 : leewayMs) < now)
      closeSoon(socket, 'token_expired');
  }
}

/** Parts of a round of confirmations: ten thousand sockets in one go held up the loop, and every send, for a third of a second. */
const beatSlices = 80;

/** Confirms every socket once a round, a slice of them at a time. */
function startBeats(io: Io, node: Node): NodeJS.Timeout {
  const { presence } = node.options;
  let slice = 0;
  const beat = async () => {
    slice = (slice + 1) % beatSlices;
    const some = [...io.sockets.sockets.values()].filter(
      (socket) => sliceOf(socket.id) === slice && isSomebody(socket),
    );
    if (some.length === 0) return;
    await presence.beat(some.map(presentSocket)).catch(() => undefined);
    await noteSeen(some, node).catch(() => undefined);
  };
  return setInterval(() => void beat(), presence.everyMs / beatSlices);
}

/** Milliseconds between notes of when somebody who stays was last seen: a node that is killed notes no leaving. */
const seenEveryMs = 180_000;

async function noteSeen(sockets: readonly IoSocket[], { deps, follows }: Node): Promise<void> {
  const now = performance.now();
  const people = new Set(sockets.flatMap(({ data }) => follows.user(data.actor.userId) ?? []));
  const due = [...people].filter(({ seenAt }) => now - seenAt >= seenEveryMs);
  for (const user of due) user.seenAt = now;
  if (due.length > 0)
    await stillSeen(
      deps,
      due.map(({ id }) => id),
    );
}

/** A socket is always in the same slice: its id begins with random characters. */
const sliceOf = (id: string): number => (id.charCodeAt(0) * 128 + id.charCodeAt(1)) % beatSlices;

/** Says at once that a socket is here, and what is done with it. */
const confirm = async (socket: IoSocket, { presence }: Pick<RealtimeOptions, 'presence'>): Promise<void> => {
  if (isSomebody(socket)) await presence.beat([presentSocket(socket)]).catch(() => undefined);
};

/**
 * Whether a person is at the socket. At that of a token is a program, the person's own or a bot: it is shown to nobody as
 * present, and no push waits for it. What it has delivered or read it says by receipts, for which it needs a scope.
 */
const isSomebody = ({ data }: IoSocket): boolean => data.actor.scopes === undefined;

const presentSocket = (socket: IoSocket) => ({
  userId: socket.data.actor.userId,
  socketId: socket.id,
  ...socket.data.connection,
});

/** Parts in which a stopping node sends its sockets away. */
const drainParts = 20;

/** Clients that come back all at once are a stampede: they are sent away a few at a time. */
async function drain(io: Io, overMs: number): Promise<void> {
  const sockets = [...io.sockets.sockets.values()];
  for (const socket of sockets) socket.emit('notice', { kind: 'moving' });
  const parts = Math.min(sockets.length, drainParts);
  for (let part = 0; part < parts; part += 1) {
    await new Promise((resolve) => setTimeout(resolve, overMs / parts));
    sockets.filter((_, index) => index % parts === part).forEach((socket) => socket.disconnect(true));
  }
}
