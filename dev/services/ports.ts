import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * Where a port is looked for that may be any: below those that systems give to outgoing connections (from 32768 on
 * Linux, from 49152 elsewhere), as one of those would be taken again before its service has begun to listen.
 */
const anyPort = { from: 15_000, below: 32_000, tries: 50 };

/**
 * Ports of 127.0.0.1 that nobody listens on: the preferred one of each where it is free, else any. All are held until all
 * are known, so that no two of one call are the same.
 */
export async function freePorts<Name extends string>(
  preferred: Record<Name, number | undefined>,
): Promise<Record<Name, number>> {
  const held: Server[] = [];
  const found: Partial<Record<Name, number>> = {};
  try {
    for (const [name, port] of Object.entries(preferred) as [Name, number | undefined][]) {
      const server = (port ? await listen(port) : undefined) ?? (await listenAnywhere());
      if (!server) throw new Error('No free port on 127.0.0.1');
      held.push(server);
      const address = server.address();
      if (address && typeof address === 'object') found[name] = address.port;
    }
    return found as Record<Name, number>;
  } finally {
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  }
}

/** One free port: the preferred one, or the next after it that is free; any where none is preferred. */
export async function freePort(preferred?: number): Promise<number> {
  for (let port = preferred ?? 0; preferred && port < preferred + 100 && port < 65_536; port += 1) {
    if ((await freePorts({ port })).port === port) return port;
  }
  return (await freePorts({ port: undefined })).port;
}

async function listenAnywhere(): Promise<Server | undefined> {
  for (let tries = 0; tries < anyPort.tries; tries += 1) {
    const server = await listen(randomInt(anyPort.from, anyPort.below));
    if (server) return server;
  }
  return listen(0);
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1' }, () => resolve(server));
  });
}
