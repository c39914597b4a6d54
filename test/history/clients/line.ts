import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/** A way to a node that can break in the middle, as a network does: neither end is told why. */
export interface Line {
  url: string;
  /** Whether there was anything on it. */
  cut(): boolean;
  /** Nothing goes over it any more. */
  close(): void;
}

export async function openLine(to: string): Promise<Line> {
  const { hostname, port } = new URL(to);
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    join(near, far, ends);
    join(far, near, ends);
  });
  await once(server.listen(0, hostname), 'listening');
  const cut = () => {
    const open = ends.size > 0;
    for (const end of ends) end.resetAndDestroy();
    return open;
  };
  return {
    url: `http://${hostname}:${(server.address() as AddressInfo).port}`,
    cut,
    close() {
      server.close();
      cut();
    },
  };
}

/** What comes from the one goes to the other; with the one the other is over. */
function join(from: Socket, to: Socket, ends: Set<Socket>): void {
  ends.add(from);
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => ends.delete(from));
}
