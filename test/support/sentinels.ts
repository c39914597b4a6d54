import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Servers on several addresses of this machine and one port, which count who connects. */
export interface Sentinels {
  port: number;
  /** Connections to each address since the last `clear`. */
  hits: ReadonlyMap<string, number>;
  clear(): void;
  stop(): void;
}

export const loopbacks: readonly string[] = [
  ...Array.from({ length: 20 }, (_, index) => `127.0.0.${index + 1}`),
  '::1',
];

export async function startSentinels(answer: RequestListener): Promise<Sentinels> {
  const hits = new Map<string, number>();
  const at = async (address: string, port: number): Promise<Server> => {
    const server = createServer({ maxHeaderSize: 1_048_576 }, answer).listen(port, address);
    server.on('connection', () => hits.set(address, (hits.get(address) ?? 0) + 1));
    await once(server, 'listening');
    return server;
  };
  for (let attempt = 0; ; attempt += 1) {
    const first = await at('127.0.0.1', 0);
    const { port } = first.address() as AddressInfo;
    const servers = [first];
    const stop = () => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    };
    try {
      for (const address of loopbacks.slice(1)) servers.push(await at(address, port));
      return { port, hits, clear: () => hits.clear(), stop };
    } catch (error) {
      // Somebody has this port on one of them.
      stop();
      if (attempt === 5) throw error;
    }
  }
}

/** How many sockets this process opens while the work is done, to wherever. */
export async function socketsOpened(work: () => Promise<unknown>): Promise<number> {
  let opened = 0;
  const count = () => void (opened += 1);
  subscribe('net.client.socket', count);
  await work().finally(() => unsubscribe('net.client.socket', count));
  return opened;
}
