import type { SocketError } from '../errors.ts';
import type { ClientEventAnswer, ClientEventName } from './client-to-server.ts';
import type { ServerEventName, ServerEventPayload } from './server-to-client.ts';

export * from './client-to-server.ts';
export type { OperationRequest } from './operation-request.ts';
export * from './server-to-client.ts';

/** The answer to every client event. */
export type Ack<Name extends ClientEventName = ClientEventName> =
  | ({ ok: true } & ClientEventAnswer<Name>)
  | { ok: false; error: SocketError };

/** Socket.IO's typed maps, derived: they help the compiler, they validate nothing (Socket.IO's own warning). */
export type ListenEvents = {
  [Name in ClientEventName]: (input: unknown, ack?: (answer: Ack<Name>) => void) => void;
};
export type EmitEvents = { [Name in ServerEventName]: (payload: ServerEventPayload<Name>) => void };
