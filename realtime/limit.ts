import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorCodes } from '../contracts/errors.ts';
import {
  excessGapMs,
  excessMs,
  operationOfEvent,
  type Price,
  pricesOf,
  type RateLimit,
} from '../contracts/rate-limits.ts';
import type { ClientEventName } from '../contracts/realtime/index.ts';
import { endpoints } from '../contracts/rest/index.ts';
import type { Budget, RateLimits } from '../domain/deps.ts';
import { type DomainError, rateLimited } from '../domain/errors.ts';
import type { Io, IoSocket } from './io.ts';
import type { TellRefusal } from './refusals.ts';

/** How much a socket's person, and the socket itself, may ask. */
export interface SocketLimits {
  budgets: RateLimits;
  /** Events of one socket, of whatever kind; null for no limit. */
  events: RateLimit | null;
  countRefused: () => void;
}

const prices = new Map(
  Object.values(endpoints)
    .filter(({ auth }) => auth === 'user')
    .map((endpoint) => [endpoint.operationId as string, pricesOf(endpoint)]),
);
const nothing: readonly Price[] = [];

/** Of what was not looked at yet: the fields that say what it costs, and whose budget it is. */
type Given = { operation?: unknown; params?: { id?: unknown } | null; conversationId?: unknown } | null | undefined;

/** Takes what an event costs, which is what its operation costs by REST; throws `rate_limited`. */
export function spendFor(
  name: ClientEventName,
  input: unknown,
  socket: IoSocket,
  budgets: RateLimits,
): Promise<void> | void {
  const given = input as Given;
  const costs = prices.get(operationIn(name, input) ?? '') ?? nothing;
  if (costs.length === 0) return;
  const { userId, sessionId } = socket.data.actor;
  const spending = budgets.spend(costs, { userId, sessionId, conversationId: idIn(name, given) });
  if (spending instanceof Promise) return spending.then(({ refused }) => refuse(refused));
  refuse(spending.refused);
}

/** What an event asks for, by the name that it has in the contract; of what is not in it nothing is said. */
export function operationIn(name: ClientEventName, input: unknown): string | undefined {
  const operation = name === 'request' ? (input as Given)?.operation : operationOfEvent[name];
  return typeof operation === 'string' && prices.has(operation) ? operation : undefined;
}

/** What is no id names nothing, and is no key of ours: the contract refuses it. */
function idIn(name: ClientEventName, given: Given): string | undefined {
  const id = name === 'request' ? given?.params?.id : given?.conversationId;
  return typeof id === 'string' && id.length === 36 ? id.toLowerCase() : undefined;
}

function refuse(budget: Budget | undefined): void {
  if (budget) throw rateLimited(budget);
}

/** Counts an event of a socket; answers with the refusal where it is one too many for this window. */
export function countEvent({ data }: IoSocket, { events, countRefused }: SocketLimits): DomainError | undefined {
  if (events === null) return undefined;
  const now = performance.now();
  const windowMs = events.seconds * 1_000;
  if (!data.events || now - data.events.began >= windowMs) data.events = { began: now, count: 0 };
  data.events.count += 1;
  if (data.events.count <= events.points) return undefined;
  countRefused();
  const resetMs = Math.ceil(data.events.began + windowMs - now);
  return rateLimited({ name: 'socket-events', ...events, remaining: 0, resetMs });
}

/** A socket was refused for asking too much; answers whether it goes on regardless, and is to be closed. */
export function goesOnRegardless({ data }: IoSocket): boolean {
  const now = performance.now();
  const { excess } = data;
  const since = excess && now - excess.last <= excessGapMs ? excess.since : now;
  const over = now - since >= excessMs;
  // Said once: what it still sends until it is closed says nothing new.
  data.excess = { since: over ? Number.POSITIVE_INFINITY : since, last: now };
  return over;
}

interface ConnectLimits {
  budgets: RateLimits;
  addressOf: (request: IncomingMessage) => string;
  refused: TellRefusal;
}

/**
 * So many connections an address may begin: refused before anything but the head of the request was read. By an answer of
 * HTTP, for there is no socket yet that could be told anything.
 */
export function limitConnects(io: Io, { budgets, addressOf, refused }: ConnectLimits): void {
  const begin = io.engine.handleUpgrade.bind(io.engine) as (...upgrade: Upgrade) => void;
  const refuseIt = (socket: Duplex, budget: Budget) => {
    refused('handshake refused', { code: 'rate_limited' });
    turnAway(socket, budget);
  };
  io.engine.handleUpgrade = (...upgrade: Upgrade) => {
    const [request, socket] = upgrade;
    const spending = budgets.spend([['connect-address', 1]], { address: addressOf(request) });
    if (!(spending instanceof Promise))
      return spending.refused ? refuseIt(socket, spending.refused) : begin(...upgrade);
    // Nobody else listens to it while it waits, and a connection that breaks must not end the process.
    socket.on('error', ignore);
    void spending.then((spent) => {
      if (spent.refused) refuseIt(socket, spent.refused);
      else if (!socket.destroyed) begin(...upgrade);
    });
  };
}

type Upgrade = [request: IncomingMessage, socket: Duplex, head: Buffer];
const ignore = () => undefined;

function turnAway(socket: Duplex, { resetMs }: Budget): void {
  socket.on('error', ignore);
  const body = JSON.stringify({ code: 'rate_limited', message: errorCodes.rate_limited, retryAfterMs: resetMs });
  const head = [
    'HTTP/1.1 429 Too Many Requests',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `retry-after: ${Math.ceil(resetMs / 1_000)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
