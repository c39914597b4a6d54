import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/** Stands between a client and a server, as the network does, and may be down for a while. */
export interface Network {
  /** Where the client is to connect instead. */
  url: string;
  /** Cuts what is open and whatever is opened from now on. */
  goDown(): void;
  comeUp(): void;
  close(): Promise<void>;
}

export async function networkTo(target: string): Promise<Network> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let down = false;
  const cutAll = () => open.forEach((socket) => socket.destroy());
  const server = createServer((socket) => {
    if (down) return void socket.destroy();
    const upstream = connect(Number(port), hostname);
    socket.pipe(upstream).pipe(socket);
    const end = () => [socket, upstream].forEach((one) => (open.delete(one), one.destroy()));
    for (const one of [socket, upstream]) open.add(one.on('error', end).on('close', end));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    goDown() {
      down = true;
      cutAll();
    },
    comeUp() {
      down = false;
    },
    async close() {
      cutAll();
      await new Promise((closed) => server.close(closed));
    },
  };
}
