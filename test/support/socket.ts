import { AssertionError } from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import { type Socket, io } from 'socket.io-client';
import type { SocketError } from '../../contracts/errors.ts';
import {
  type Ack,
  type ClientEventName,
  type ServerEventName,
  type ServerEventPayload,
  serverEvents,
} from '../../contracts/realtime/index.ts';

/** A socket as any client has it, which keeps everything that it was told. */
export interface TestSocket {
  raw: Socket;
  hello: ServerEventPayload<'hello'>;
  told: { [Name in ServerEventName]: ServerEventPayload<Name>[] };
  ask<Name extends ClientEventName>(name: Name, input: unknown): Promise<Ack<Name>>;
  /** Waits until something that was told, before or after now, matches. */
  heard<Name extends ServerEventName>(
    name: Name,
    matches: (payload: ServerEventPayload<Name>) => boolean,
  ): Promise<ServerEventPayload<Name>>;
  close(): void;
}

const names = Object.keys(serverEvents) as ServerEventName[];
/** Milliseconds; a digest of what moved comes every fifteen seconds. */
const waitMs = 20_000;

/** Connects and waits for the hello. Rejects with the refusal's error where the connect is refused. */
export async function connect(
  url: string,
  auth: Record<string, unknown>,
  options: Record<string, unknown> = {},
): Promise<TestSocket> {
  const raw = io(url, { transports: ['websocket'], auth, reconnection: false, forceNew: true, ...options });
  const told = Object.fromEntries(names.map((name) => [name, []])) as unknown as TestSocket['told'];
  raw.onAny((name, payload) => void told[name as ServerEventName]?.push(payload as never));
  await Promise.race([once(emitter(raw), 'hello'), refusal(raw)]);
  return {
    raw,
    told,
    hello: told.hello[0] as ServerEventPayload<'hello'>,
    ask: (name, input) => raw.timeout(waitMs).emitWithAck(name as string, input) as Promise<Ack<typeof name>>,
    heard: (name, matches) => heard(raw, told, name, matches),
    close: () => void raw.close(),
  };
}

/** Socket.IO's client is close enough to an EventEmitter for `once`. */
const emitter = (raw: Socket) => raw as unknown as EventEmitter;

/** The connect was refused, or the socket closed before it was greeted. */
async function refusal(raw: Socket): Promise<never> {
  const closed = once(emitter(raw), 'disconnect').then(() => [new Error('closed before the hello')]);
  const [error] = (await Promise.race([once(emitter(raw), 'connect_error'), closed])) as [
    Error & { data?: SocketError },
  ];
  throw Object.assign(new Error(error.message), { data: error.data });
}

function heard<Name extends ServerEventName>(
  raw: Socket,
  told: TestSocket['told'],
  name: Name,
  matches: (payload: ServerEventPayload<Name>) => boolean,
): Promise<ServerEventPayload<Name>> {
  const before = (told[name] as ServerEventPayload<Name>[]).find(matches);
  if (before) return Promise.resolve(before);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new AssertionError({ message: `no ${name} that matches was heard` })),
      waitMs,
    );
    const listener = (told: string, payload: ServerEventPayload<Name>) => {
      if (told !== name || !matches(payload)) return;
      clearTimeout(timer);
      raw.offAny(listener);
      resolve(payload);
    };
    raw.onAny(listener);
  });
}
