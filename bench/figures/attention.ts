import { setTimeout } from 'node:timers/promises';
import { searchAttributes } from '../../contracts/workflows/names.ts';
import { freePort, obtainTemporal, root, startTemporal } from '../../dev/services/index.ts';
import { startSandbox } from '../../sandbox/index.ts';
import { join } from 'node:path';
import { createStoreLane } from '../../domain/messages/index.ts';
import { startChild } from '../lib/child.ts';
import { readCpu, treeSeconds } from '../lib/cpu.ts';
import type { Figure, Round } from '../lib/figure.ts';
import { median } from '../lib/load.ts';
import { type Crowd, groupId, idSql, personId, seat, seed } from '../lib/people.ts';
import { openProduct } from '../lib/product.ts';
import type { Announced, PerMessage } from '../references/per-message/main.ts';
import { messageTo, mustBeStored } from './sends.ts';

/** Of each pair one writes five messages, and the other is away. So many that what is spent on waiting hardly counts. */
const episodes = 120;
const messagesEach = 5;
const crowd: Crowd = { people: episodes * 2, groups: episodes, size: 2 };
const ladder = 'push=1s email=4s email-without-push=4s';
/** Milliseconds between looks whether everybody was told, and until nobody will be any more. */
const lookMs = 250;
const patienceMs = 300_000;

export const attention: Figure = {
  name: 'attention',
  what: 'processor time of an unread episode of five messages, told by push and by mail, of worker, server and database',
  async measure(round) {
    const { rounds, report } = round;
    const world = await openWorld(round);
    const millis = { ours: [] as number[], perMessage: [] as number[] };
    let othersCpu = 0;
    try {
      // Both are warm before it counts: the providers' SDKs take seconds to load.
      for (let n = 0; n <= rounds; n += 1) {
        const [ours, perMessage] = [await world.ours(namespaceOf(n)), await world.perMessage(namespaceOf(n))];
        if (n === 0) continue;
        millis.ours.push(ours.millis);
        millis.perMessage.push(perMessage.millis);
        othersCpu = Math.max(othersCpu, ours.othersCpu, perMessage.othersCpu);
        report(`round ${n}: ${inWords(ours)} against ${inWords(perMessage)}`);
      }
    } finally {
      await world.stop();
    }
    const [candidate, against] = [median(millis.ours), median(millis.perMessage)];
    const ratio = candidate / against;
    return [
      {
        ...{ figure: 'an unread episode of five messages, CPU', reference: 'a workflow for each message', unit: 'ms' },
        ...{ candidate, against, ratio, goal: '≤ 0.15×', reached: ratio <= 0.15, othersCpu },
      },
    ];
  },
};

/** Of each round, as the same people have the same stories again: one that has run is not begun anew. */
const namespaceOf = (round: number) => `bench-${round}`;

interface Cost {
  /** Processor milliseconds for one episode, and what the worker, Temporal and the database have of them. */
  millis: number;
  parts: number[];
  othersCpu: number;
}

const inWords = ({ millis, parts }: Cost): string =>
  `${millis.toFixed(1)} ms (worker, Temporal, database: ${parts.map((part) => part.toFixed(1)).join(', ')})`;

/** Temporal and the providers' sandbox beside the stage's database, and the two that tell people, one at a time. */
async function openWorld(round: Round) {
  const { stage, rounds } = round;
  const temporal = await startTemporal({
    ...{
      program: await obtainTemporal({ report: round.report }),
      port: await freePort(),
      searchAttributes: attributes,
      namespaces: Array.from({ length: rounds + 1 }, (_, n) => namespaceOf(n)),
    },
    logFile: join(root, '.homing', 'bench', 'temporal.log'),
  });
  const sandbox = await startSandbox();
  const product = await openProduct(stage);
  const more = {
    ...{ NODE_ENV: 'development', TEMPORAL_ADDRESS: temporal.address, HOMING_LADDER: ladder },
    ...{ FCM_BASE_URL: sandbox.url, SENDGRID_BASE_URL: sandbox.url, TWILIO_BASE_URL: sandbox.url },
  };
  const lane = createStoreLane(stage.db);
  const write = async () => {
    for (let seq = 1; seq <= messagesEach; seq += 1)
      await Promise.all(
        Array.from({ length: episodes }, (_, n) => lane.push(messageTo(n, 0, crowd)).then(mustBeStored)),
      );
  };
  const costOf = async (pid: number, work: () => Promise<unknown>): Promise<Cost> => {
    const pids = [pid, temporal.pid, stage.postgres.pid];
    const cpu = () => pids.map(treeSeconds);
    const [before, machine, began] = [cpu(), readCpu(pids), performance.now()];
    await work();
    const [spent, after] = [cpu().map((seconds, n) => seconds - (before[n] ?? 0)), readCpu(pids)];
    const parts = spent.map((seconds) => (seconds * 1_000) / episodes);
    const others = after.machineSeconds - machine.machineSeconds - (after.oursSeconds - machine.oursSeconds);
    return {
      millis: parts.reduce((sum, part) => sum + part, 0),
      parts,
      othersCpu: Math.max(0, others / ((performance.now() - began) / 1_000)),
    };
  };
  return {
    async ours(namespace: string): Promise<Cost> {
      await people(round);
      const node = await product.start('attention', ['relay', 'worker'], [], {
        ...more,
        TEMPORAL_NAMESPACE: namespace,
      });
      try {
        return await costOf(node.pid, async () => {
          await write();
          await everybodyTold(round);
        });
      } finally {
        await node.stop();
      }
    },
    async perMessage(namespace: string): Promise<Cost> {
      await people(round);
      const child = await startChild<PerMessage>(new URL('../references/per-message/main.ts', import.meta.url), {
        ...{ ...product.environment, ...more },
        TEMPORAL_NAMESPACE: namespace,
      });
      try {
        await child.ask('start');
        return await costOf(child.pid, async () => {
          await write();
          await child.ask('announce', owed());
        });
      } finally {
        await child.stop();
      }
    },
    async stop() {
      await product.stop();
      await sandbox.close();
      await temporal.stop();
    },
  };
}

const attributes = Object.fromEntries(
  Object.entries(searchAttributes).map(([name, type]) => [name, type === 'BOOL' ? 'Bool' : 'Keyword']),
);

/** People who can be reached by push and by mail, and have heard of nothing yet. */
async function people({ stage, withOwner }: Round): Promise<void> {
  await withOwner(async (owner) => {
    await seed(stage.db, owner, crowd);
    await owner.query({
      text: 'truncate devices, episodes, watermarks, attempts, attempt_events, decisions, notification_budgets',
      values: [],
    });
    await owner.query({ text: 'update users set email_verified_at = now()', values: [] });
    await owner.query({
      text: `insert into devices (user_id, id, platform, push_token, push_token_at, last_seen_at)
        select ${idSql(1, 'n')}, ${idSql(6, 'n')}, 'android', 'ok-' || n, now(), now() from generate_series(0, $1::bigint - 1) n`,
      values: [crowd.people],
    });
  });
}

const owed = (): Announced[] =>
  Array.from({ length: episodes * messagesEach }, (_, n) => {
    const group = n % episodes;
    const seq = Math.floor(n / episodes) + 1;
    return { userId: personId(seat(group, 1, crowd)), conversationId: groupId(group), seq };
  });

/** Every episode is over, and each was a push and a mail. */
async function everybodyTold({ stage }: Round): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const { rows } = await stage.db.query<{ over: number; sent: number }>({
      name: 'bench-told',
      text: `select (select count(*) from episodes where outcome = 'every-step-spent')::int as over,
        (select count(*) from attempts where state = 'accepted')::int as sent`,
      values: [],
    });
    const { over = 0, sent = 0 } = rows[0] ?? {};
    if (over === episodes && sent === 2 * episodes) return;
    if (performance.now() > until) throw new Error(`${over} of ${episodes} episodes are over, ${sent} sent`);
    await setTimeout(lookMs);
  }
}
