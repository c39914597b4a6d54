import { type ErrorCode, faultsOf } from '../contracts/errors.ts';
import {
  type Ack,
  type ClientEventAnswer,
  type ClientEventInput,
  type ClientEventName,
  clientEvents,
} from '../contracts/realtime/index.ts';
import { factorUsed } from '../contracts/rest/factor-used.ts';
import { eventPolicy, requireScope } from '../domain/access/index.ts';
import type { Revocations } from '../domain/accounts/index.ts';
import type { Actor, Log } from '../domain/deps.ts';
import { DomainError, overloaded } from '../domain/errors.ts';
import { afterError, toSocketError } from './errors.ts';
import type { IoSocket, SocketData } from './io.ts';
import { type SocketLimits, countEvent, goesOnRegardless, operationIn, spendFor } from './limit.ts';
import type { TellRefusal } from './refusals.ts';

export interface OnOptions {
  revocations: Revocations;
  log: Log;
  limits: SocketLimits;
  /** How long an event took, by name and outcome. */
  observeEvent: (event: string, outcome: string, seconds: number) => void;
  checkAnswers: boolean;
  refused: TellRefusal;
}

type Handle<Name extends ClientEventName> = (
  actor: Actor,
  input: ClientEventInput<Name>,
  socket: IoSocket,
) => Promise<ClientEventAnswer<Name>>;

/** Answers one client event of a socket: `given` is what came with it, the acknowledgement last. */
export type Listener = (socket: IoSocket, given: readonly unknown[]) => void;
/** One for every event of the contract: a new one does not compile until it is answered. */
export type Listeners = Record<ClientEventName, Listener>;

/**
 * How one client event is answered. Whatever arrives is untrusted, the acknowledgement too: a client may leave it out or
 * send something else in its place, and neither may end the process. What is too much is refused as it came, before it is
 * read: of a process that is given three times what it can do, refusing must take the smallest part.
 */
export function on<Name extends ClientEventName>(
  name: Name,
  options: OnOptions,
  handle: Handle<Name>,
  isTooMuch: (input: unknown) => boolean = never,
): Listener {
  const work = async (socket: IoSocket, input: unknown) => {
    options.revocations.guard(socket.data.actor.sessionId);
    refuseToken(name, socket.data);
    if (isTooMuch(input)) throw overloaded;
    const spending = spendFor(name, input, socket, options.limits.budgets);
    if (spending) await spending;
    return handle(socket.data.actor, parse(name, input), socket);
  };
  return (socket, given) => {
    const ack = acknowledgementOf<Ack<Name>>(given);
    // Without a payload the acknowledgement stands in its place.
    const input = typeof given[0] === 'function' ? undefined : given[0];
    void answer(socket, { name, input }, options, () => work(socket, input)).then((result) => ack?.(result));
  };
}

/** What a token is not for, and what it was for until its time was over: of a session the sweep says so. */
function refuseToken(name: ClientEventName, { actor, expiresAt }: SocketData): void {
  if (!actor.scopes) return;
  if (expiresAt.getTime() <= Date.now()) throw new DomainError('token_expired');
  const rule = eventPolicy[name];
  if (rule !== 'as its operation') requireScope(actor, rule.scope);
}

const never = () => false;

/**
 * Takes the events of the contract and nothing else, whatever a client sends: Socket.IO takes `error` and `disconnect`
 * from a client as it would its own, and an `error` that nobody listens to ends the process. One listener for all events,
 * the same for all sockets: ten a socket were a third of its memory.
 */
export function listen(socket: IoSocket, listeners: Listeners, limits: SocketLimits): void {
  socket.use(([name, ...given]) => {
    const tooMany = countEvent(socket, limits);
    if (tooMany) {
      acknowledgementOf(given)?.({ ok: false, error: toSocketError(tooMany).error });
      return closeWhoGoesOn(socket);
    }
    if (Object.hasOwn(listeners, name)) return listeners[name as ClientEventName](socket, given);
    const { error } = toSocketError(new DomainError('not_found', { detail: 'There is no such event.' }));
    acknowledgementOf(given)?.({ ok: false, error });
  });
}

const acknowledgementOf = <Answer = Ack>(given: readonly unknown[]) =>
  given.findLast((argument) => typeof argument === 'function') as ((answer: Answer) => void) | undefined;

async function answer<Name extends ClientEventName>(
  socket: IoSocket,
  { name, input }: { name: Name; input: unknown },
  options: OnOptions,
  work: () => Promise<ClientEventAnswer<Name>>,
): Promise<Ack<Name>> {
  const started = process.hrtime.bigint();
  try {
    const result = await work();
    if (options.checkAnswers) clientEvents[name].answer.parse(result);
    options.observeEvent(name, 'ok', secondsSince(started));
    // No other event proves who somebody is, and most of what comes is another.
    if (name === 'request') tellProof(socket, options.log, askedIn(name, input));
    return { ok: true, ...result } as Ack<Name>;
  } catch (thrown) {
    const { error, cause } = toSocketError(thrown);
    options.observeEvent(name, error.code, secondsSince(started));
    const { userId } = socket.data.actor;
    if (error.code === 'internal') options.log.error('a socket event failed', { event: name, userId, error: cause });
    else options.refused('socket event refused', { code: error.code, userId, event: name, ...askedIn(name, input) });
    if (afterError[error.code] === 'close') closeSoon(socket, error.code);
    if (error.code === 'rate_limited') closeWhoGoesOn(socket);
    return { ok: false, error } as Ack<Name>;
  }
}

/** What went well is told where it is a proof of who somebody is. */
function tellProof({ data }: IoSocket, log: Log, { operation, factor }: ReturnType<typeof askedIn>): void {
  if (factor) log.info('socket proof', { userId: data.actor.userId, operation, factor });
}

/** The operation, and where it is a proof by what; neither is looked at but for its name. */
function askedIn(name: ClientEventName, input: unknown): { operation?: string; factor?: string } {
  const operation = operationIn(name, input);
  const factor = factorUsed(operation, (input as { body?: unknown } | undefined)?.body);
  return { ...(operation ? { operation } : {}), ...(factor ? { factor } : {}) };
}

/** Who is told to wait and does not, for seconds, is not listening. */
function closeWhoGoesOn(socket: IoSocket): void {
  if (goesOnRegardless(socket) && socket.connected) closeSoon(socket, 'rate_limited');
}

function parse<Name extends ClientEventName>(name: Name, input: unknown): ClientEventInput<Name> {
  const parsed = clientEvents[name].input.safeParse(input);
  if (parsed.success) return parsed.data as ClientEventInput<Name>;
  throw new DomainError('invalid_input', { errors: faultsOf(parsed.error.issues) });
}

/** With these the client must sign in or renew; after any other it may come back as it is. */
const endsSession: ReadonlySet<string> = new Set([
  'unauthenticated',
  'token_expired',
  'session_revoked',
] satisfies ErrorCode[]);

/** Tells why and closes, after the acknowledgement has had its turn. */
export function closeSoon(socket: IoSocket, code: string): void {
  socket.emit('notice', { kind: endsSession.has(code) ? 'session_ended' : 'closed', code });
  // The outlet writes at the end of this turn.
  setImmediate(() => setImmediate(() => socket.disconnect(true)));
}

const secondsSince = (started: bigint) => Number(process.hrtime.bigint() - started) / 1e9;
