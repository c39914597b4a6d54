import type { OpenDoor } from './client.ts';
import { openRest } from './rest.ts';
import { SdkClient } from './sdk.ts';
import { SocketClient } from './socket.ts';

export type { Client, Person } from './client.ts';

/** The kinds of clients that a run has. One more kind is one more line here. */
export const doors = {
  socket: (options) => new SocketClient(options),
  rest: openRest,
  sdk: (options) => new SdkClient(options),
} satisfies Record<string, OpenDoor>;
export type Door = keyof typeof doors;
