import { openDb } from '../../db/client.ts';
import type { Clients, Counted } from '../clients/main.ts';
import { startChild } from '../lib/child.ts';
import { readCpu, treeSeconds } from '../lib/cpu.ts';
import type { Figure, Line, Round } from '../lib/figure.ts';
import { median } from '../lib/load.ts';
import { seed } from '../lib/people.ts';
import { type Product, openProduct } from '../lib/product.ts';
import type { KnexAndRooms } from '../references/knex-and-rooms.ts';
import { seedRooms } from '../references/rooms-schema.ts';

const connections = 1_000;
const senders = 256;

interface Measured extends Counted {
  perSecond: number;
  /** Processor time of the server's process and of PostgreSQL for one message. */
  serverMicros: number;
  databaseMicros: number;
  othersCpu: number;
}

/** From the socket over the commit to everybody's sockets: 1,000 people are connected, 256 of them write at the same time. */
export const path: Figure = {
  name: 'path',
  what: 'the whole path: socket, checks, commit, acknowledgement, fan-out; clients, server and database share the machine',
  async measure(round) {
    const owner = openDb({ url: round.stage.ownerUrl, applicationName: 'bench-owner', statementTimeoutMs: 600_000 });
    const product = await openProduct(round.stage);
    try {
      return [
        ...(await compare(round, { owner, product, size: 10, times: 15 })),
        ...(await compare(round, { owner, product, size: 100, times: 12 })),
        ...(await crowdOf(round, { owner, product })),
      ];
    } finally {
      await product.stop();
      await owner.end();
    }
  },
};

interface Comparison {
  owner: ReturnType<typeof openDb>;
  product: Product;
  /** Members of each group. */
  size: number;
  /** What we want of it, in times the reference's rate. */
  times: number;
}

async function compare(round: Round, { owner, product, size, times }: Comparison): Promise<Line[]> {
  const { stage, rounds, seconds, report } = round;
  await seed(stage.db, owner, { people: connections, groups: connections / size, size });
  await seedRooms(owner, { groups: connections / size });
  const tokens = await product.tokens(connections);
  const node = await product.start(`path-${size}`, ['api', 'realtime']);
  const reference = await startChild<KnexAndRooms>(new URL('../references/knex-and-rooms.ts', import.meta.url), {
    ...product.environment,
  });
  const ports = { ours: node.port, theirs: await reference.ask('port') };
  const taken = { ours: [] as Measured[], theirs: [] as Measured[] };
  for (let n = 0; n < rounds; n += 1) {
    for (const [who, pid] of [
      ['theirs', reference.pid],
      ['ours', node.pid],
    ] as const) {
      const measured = await load({ stage, seconds, port: ports[who], pid, tokens, size });
      taken[who].push(measured);
      const { perSecond, p50Ms, p99Ms, serverMicros, databaseMicros } = measured;
      report(
        `groups of ${size}, round ${n + 1}, ${who}: ${Math.round(perSecond)}/s, p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)} ms, server ${serverMicros.toFixed(0)} µs, database ${databaseMicros.toFixed(0)} µs`,
      );
    }
  }
  await Promise.all([reference.stop(), node.stop(0)]);
  return linesOf(taken, { size, times });
}

/**
 * What a send costs must not grow with how many people and groups there are, but with those who hear of it. Told twice:
 * with as many writing at the same time, so that among more groups fewer messages of one share a write to its sockets;
 * and with everybody as busy as before.
 */
async function crowdOf(round: Round, { owner, product }: Pick<Comparison, 'owner' | 'product'>): Promise<Line[]> {
  const { stage, rounds, seconds, report } = round;
  await seed(stage.db, owner, { people: connections, groups: connections / 10, size: 10 });
  const tokens = await product.tokens(connections);
  const node = await product.start('path-crowd', ['api', 'realtime']);
  const crowds = {
    few: { people: 100, writing: 48 },
    many: { people: connections, writing: 48 },
    // Fewer than may wait: a node refuses beyond.
    busy: { people: connections, writing: 480 },
  };
  const micros = { few: [] as number[], many: [] as number[], busy: [] as number[] };
  let othersCpu = 0;
  for (let n = 0; n < rounds; n += 1) {
    for (const which of ['few', 'many', 'busy'] as const) {
      const { people, writing } = crowds[which];
      const options = { stage, seconds, port: node.port, pid: node.pid, tokens: tokens.slice(0, people), size: 10 };
      const measured = await load(options, writing);
      micros[which].push(measured.serverMicros + measured.databaseMicros);
      othersCpu = Math.max(othersCpu, measured.othersCpu);
    }
  }
  await node.stop(0);
  const [few, many, busy] = [median(micros.few), median(micros.many), median(micros.busy)];
  report(
    `CPU of a send: ${few.toFixed(0)} µs among a hundred, ${many.toFixed(0)} and ${busy.toFixed(0)} among a thousand`,
  );
  const lineOf = (figure: string, candidate: number): Line => ({
    ...{ figure, reference: '100 people in 10 groups, 48 writing', unit: 'µs', candidate, against: few, othersCpu },
    ...{ ratio: candidate / few, goal: '≤ 1.2×', reached: candidate / few <= 1.2 },
  });
  return [
    lineOf('CPU of a send, 1,000 people in 100 groups, 48 writing', many),
    lineOf('CPU of a send, 1,000 people in 100 groups, 480 writing', busy),
  ];
}

interface Load {
  stage: Round['stage'];
  seconds: number;
  port: number;
  pid: number;
  tokens: string[];
  size: number;
}

async function load({ stage, seconds, port, pid, tokens, size }: Load, writing = senders): Promise<Measured> {
  const clients = await startChild<Clients>(new URL('../clients/main.ts', import.meta.url));
  const pids = [pid, stage.postgres.pid, clients.pid];
  try {
    await clients.ask('connect', { port, tokens, size, hello: true });
    await clients.ask('begin', { senders: writing });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await clients.ask('mark');
    const before = { server: treeSeconds(pid), database: treeSeconds(stage.postgres.pid), all: readCpu(pids) };
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const counted = await clients.ask('mark');
    const after = readCpu(pids);
    const ours = after.oursSeconds - before.all.oursSeconds;
    const perMessage = 1e6 / counted.stored;
    await clients.ask('rest');
    if (counted.failed + counted.shed > 0) throw new Error(`${counted.failed} sends failed, ${counted.shed} were shed`);
    await clients.ask('allTold', { size });
    return {
      ...counted,
      perSecond: counted.stored / counted.seconds,
      serverMicros: (treeSeconds(pid) - before.server) * perMessage,
      databaseMicros: (treeSeconds(stage.postgres.pid) - before.database) * perMessage,
      othersCpu: Math.max(0, (after.machineSeconds - before.all.machineSeconds - ours) / counted.seconds),
    };
  } finally {
    await clients.stop();
  }
}

function linesOf(
  { ours, theirs }: { ours: Measured[]; theirs: Measured[] },
  { size, times }: Pick<Comparison, 'size' | 'times'>,
): Line[] {
  const of = (taken: Measured[], key: keyof Measured) => median(taken.map((one) => one[key]));
  const othersCpu = Math.max(...[...ours, ...theirs].map((one) => one.othersCpu));
  const common = { reference: 'knex + io.to().emit', othersCpu };
  const [candidate, against] = [of(ours, 'perSecond'), of(theirs, 'perSecond')];
  const ratio = candidate / against;
  const latency = { candidate: of(ours, 'p50Ms'), against: of(theirs, 'p50Ms') };
  return [
    {
      ...{ ...common, figure: `whole path, groups of ${size}`, unit: 'messages/s', candidate, against, ratio },
      ...{ goal: `≥ ${times}×`, reached: ratio >= times },
    },
    {
      ...{ ...common, ...latency, figure: `whole path, groups of ${size}, acknowledged after (p50)`, unit: 'ms' },
      ...{ ratio: latency.candidate / latency.against, goal: '', reached: true },
    },
  ];
}
