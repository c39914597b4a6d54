import type { IncomingMessage } from 'node:http';
import { faultsOf } from '../contracts/errors.ts';
import { Handshake } from '../contracts/realtime/index.ts';
import { type Authenticate, isOpen } from '../domain/accounts/index.ts';
import { requireScope, scopeOfSocket } from '../domain/access/index.ts';
import type { Deps, RateLimits } from '../domain/deps.ts';
import { DomainError, rateLimited } from '../domain/errors.ts';
import { toSocketError } from './errors.ts';
import type { Admission } from './admission.ts';
import type { Io, IoSocket, SocketData } from './io.ts';
import type { TellRefusal } from './refusals.ts';

/**
 * A browser sends its page's origin with the upgrade, and CORS does not guard WebSockets: unless the origin is allowed,
 * the connection is refused before anything else is looked at. Apps and servers send none.
 */
export function checkOrigin(allowed: readonly string[]) {
  const origins = new Set(allowed.map((url) => new URL(url).origin));
  return (request: IncomingMessage, decide: (error: string | null | undefined, success: boolean) => void): void => {
    const { origin } = request.headers;
    const fine = origin === undefined || origins.has(origin);
    decide(fine ? null : 'origin_refused', fine);
  };
}

interface Gate {
  authenticate: Authenticate;
  admission: Admission;
  limits: RateLimits;
  refused: TellRefusal;
}

/** Judges the handshake before a socket exists: shape, token, session. A refusal carries its code in `err.data`. */
export function guardHandshake(io: Io, deps: Pick<Deps, 'db'>, gate: Gate): void {
  io.use((socket, next) => {
    admit(deps, gate, socket).then(
      (data) => {
        Object.assign(socket.data, data);
        next();
      },
      (thrown: unknown) => next(refusal(thrown, socket, gate)),
    );
  });
}

async function admit(
  deps: Pick<Deps, 'db'>,
  { authenticate, admission, limits }: Gate,
  socket: IoSocket,
): Promise<SocketData> {
  const parsed = Handshake.safeParse(socket.handshake.auth);
  if (!parsed.success) {
    throw new DomainError('invalid_input', { errors: faultsOf(parsed.error.issues, 'auth') });
  }
  const { userId, sessionId, scopes, expiresAt, kid } = await authenticate(parsed.data.token);
  const actor = { userId, sessionId, ...(scopes ? { scopes } : {}) };
  // Also of who is refused from here on it is known who it is.
  socket.data.actor = actor;
  requireScope(actor, scopeOfSocket);
  const { refused } = await limits.spend([['connect', 1]], actor);
  if (refused) throw rateLimited(refused);
  const greeted = admission.greeting(socket.conn);
  try {
    // A socket outlives many looks at the window, so its beginning is judged by the table itself.
    if (!(await isOpen(deps, actor))) throw new DomainError('session_revoked');
  } catch (error) {
    greeted();
    throw error;
  }
  const { known, deviceId = null } = parsed.data;
  return { actor, expiresAt, kid, known, connection: { state: 'active', deviceId, viewing: null }, greeted };
}

/** Socket.IO hands `data` on to the client as `err.data`. */
function refusal(thrown: unknown, { data }: IoSocket, { refused }: Gate): Error {
  const { error } = toSocketError(thrown);
  const { actor } = data as Partial<SocketData>;
  refused('handshake refused', { code: error.code, ...(actor ? { userId: actor.userId } : {}) });
  return Object.assign(new Error(error.code), { data: error });
}

/** What engine.io refuses before there is a socket: pages of other origins, and what is no handshake of ours. */
export function tellTurnedAway(io: Io, refused: TellRefusal): void {
  io.engine.on('connection_error', ({ code }: { code: number }) =>
    refused('handshake refused', { code: code === forbiddenByEngine ? 'origin_refused' : 'malformed_request' }),
  );
}

/** engine.io's word for what `allowRequest` refuses. */
const forbiddenByEngine = 4;
