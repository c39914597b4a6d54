import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  obtainPostgres,
  obtainRedis,
  obtainTemporal,
  removeFolder,
  type Running,
  startPostgres,
  startRedis,
  startTemporal,
} from '../../dev/services/index.ts';

/** Services of one test's own, to be killed and brought back on the same port and data. */
export interface PrivateServices {
  redis(port?: number): Promise<Running & { url: string }>;
  postgres(port?: number): Promise<Running & { url: string }>;
  temporal(port?: number): Promise<Running & { address: string }>;
  freePort(): Promise<number>;
  /** Stops what still runs and removes the data. */
  close(): Promise<void>;
}

export async function privateServices(): Promise<PrivateServices> {
  const dir = await mkdtemp(join(tmpdir(), 'homing-faults-'));
  const report = () => undefined;
  const running: Running[] = [];
  const password = randomBytes(8).toString('hex');
  const keep = <One extends Running>(one: One): One => {
    running.push(one);
    return one;
  };
  return {
    freePort: () => freePort(),
    async redis(port) {
      const program = await obtainRedis({ report });
      const options = { report, program, dir: join(dir, 'redis'), logFile: join(dir, 'redis.log') };
      return keep(await startRedis({ ...options, port: port ?? (await freePort()) }));
    },
    async postgres(port) {
      const program = await obtainPostgres({ report });
      const options = { report, program, dir: join(dir, 'postgres'), logFile: join(dir, 'postgres.log'), password };
      return keep(await startPostgres({ ...options, port: port ?? (await freePort()) }));
    },
    async temporal(port) {
      const program = await obtainTemporal({ report });
      const files = { logFile: join(dir, 'temporal.log'), databaseFile: join(dir, 'temporal.db') };
      const options = { report, program, ...files };
      return keep(await startTemporal({ ...options, port: port ?? (await freePort()), namespaces: ['homing-test'] }));
    },
    async close() {
      await Promise.all(running.map((one) => one.stop()));
      removeFolder(join(dir, 'postgres'));
      removeFolder(dir);
    },
  };
}
