import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './services/index.ts';

/** Where things are at first. PostgreSQL and Redis keep off their usual ports: those belong to the machine's own. */
const defaults = {
  api: 4000,
  sandbox: 4010,
  temporal: 7233,
  temporalUi: 8233,
  codec: 8234,
  s3: 7070,
  elasticsearch: 9200,
  elasticsearchTransport: 9300,
  metricsApi: 9464,
  metricsRelay: 9465,
  metricsWorker: 9466,
  postgres: 15432,
  redis: 16379,
};
export type Ports = Record<keyof typeof defaults, number>;
export const portNames = Object.keys(defaults) as (keyof Ports)[];

/** Ports for this run: each the one of last time, else its default, else the next free one. They are remembered. */
export async function choosePorts(
  state: string,
  apiPort: number | undefined,
): Promise<{ ports: Ports; notes: string[] }> {
  const file = join(state, 'ports.json');
  const last = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Ports>) : {};
  const wanted = { ...defaults, ...last, ...(apiPort ? { api: apiPort } : {}) };
  const ports: Partial<Ports> = {};
  for (const name of portNames) {
    let port = await freePort(wanted[name]);
    while (Object.values(ports).includes(port)) port = await freePort(port + 1);
    ports[name] = port;
  }
  const chosen = ports as Ports;
  writeFileSync(file, `${JSON.stringify(chosen, null, 2)}\n`);
  const notes = chosen.api === wanted.api ? [] : [`Port ${wanted.api} is taken: the API is at ${chosen.api}.`];
  return { ports: chosen, notes };
}
