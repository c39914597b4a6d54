import { randomUUIDv7 } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { MessageId } from '../../contracts/ids.ts';
import { openDb } from '../../db/client.ts';
import { type NewMessageRow, storeMessages, storePlainMessagesSql } from '../../db/queries/store-messages.ts';
import { sendRights } from '../../domain/access/index.ts';
import { createStoreLane } from '../../domain/messages/index.ts';
import { createHash } from 'node:crypto';
import type { Figure, Line, Round } from '../lib/figure.ts';
import { type Sample, closedLoop, median, openLoop } from '../lib/load.ts';
import { type Crowd, groupId, idSql, personId, seat, seed } from '../lib/people.ts';
import { pgbench } from '../lib/pgbench.ts';
import { withOwner } from '../lib/stage.ts';

const crowd: Crowd = { people: 10_000, groups: 10_000, size: 10 };
export const senders = 256;
const text = 'x'.repeat(120);
const clientCounts = [1, 4, 16, 32, 64, 96];

/** A message of somebody in a group of theirs, as the domain hands it to the lane. */
export function messageTo(group: number, place: number, among: Crowd = crowd): NewMessageRow {
  return {
    conversationId: groupId(group),
    senderId: personId(seat(group, place, among)),
    id: randomUUIDv7() as MessageId,
    clientId: randomUUIDv7(),
    text,
    replyTo: null,
    threadId: null,
    forwardedFrom: null,
    mentions: null,
    priority: 'normal',
    fingerprint: createHash('sha256').update(text).digest(),
  };
}

/** Of anybody, in any of their groups. */
export const anyMessage = (among: Crowd = crowd): NewMessageRow =>
  messageTo(Math.floor(Math.random() * among.groups), anyPlace(), among);
const anyPlace = () => Math.floor(Math.random() * crowd.size);

/** As UUIDv7 is: what we send has such ids, and random ones would touch a leaf of the indexes each. */
const timeOrderedId = `(lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '-7' || substr(gen_random_uuid()::text, 16))::uuid`;

/** The very statement that stores messages, for one of them, with its parameters as expressions. */
function sameStatement(): string {
  const group = ':g';
  const sender = `(${group} * ${crowd.size} + :i) % ${crowd.people}`;
  const values = [
    `array[${idSql(2, group)}]`,
    `array[${idSql(1, sender)}]`,
    `array[${timeOrderedId}]`,
    `array[${timeOrderedId}]`,
    `array['${text}']::text[]`,
    String.raw`array['\x00']::bytea[]`,
    `array['normal']::text[]`,
    `array['owner', 'admin', 'member']`,
    `array['owner', 'admin']`,
  ];
  const statement = storePlainMessagesSql.replaceAll(/\$(\d+)/g, (_, n: string) => `(${values[Number(n) - 1] ?? ''})`);
  return `\\set g random(0, ${crowd.groups - 1})\n\\set i random(0, ${crowd.size - 1})\n${oneLine(statement)};\n`;
}

/** Bare: one row into the same table, with its indexes, and nothing else. */
const bareInsert = (): string =>
  `\\set g random(0, ${crowd.groups - 1})\n${oneLine(`insert into messages
    (conversation_id, seq, version, changed_version, id, client_id, sender_id, text, fingerprint, created_at)
    select ${idSql(2, ':g')}, (random() * 1e15)::bigint, 1, 1, ${timeOrderedId}, ${timeOrderedId}, ${idSql(1, ':g')}, '${text}', '\\x00', now()`)};\n`;

// pgbench reads a command a line, and a comment would swallow the rest of it.
const oneLine = (sql: string) =>
  sql
    .replaceAll(/--[^\n]*/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

export const sends: Figure = {
  name: 'sends',
  what: 'complete stored sends: rights, number, message with both unique indexes, outbox, one durable commit',
  async measure(round) {
    const { stage, rounds, seconds } = round;
    const owner = openDb({ url: stage.ownerUrl, applicationName: 'bench-owner', statementTimeoutMs: 900_000 });
    const lane = createStoreLane(stage.db);
    const ours = () => [stage.postgres.pid];
    const best = { same: [] as number[], bare: [] as number[], ours: [] as number[] };
    let othersCpu = 0;
    for (let n = 0; n < rounds; n += 1) {
      await seed(stage.db, owner, crowd);
      const rates = [];
      // Warm before it counts, as ours is.
      await pgbench(stage, sameStatement(), { clients: 16, seconds: 1 });
      for (const clients of clientCounts) rates.push(await pgbench(stage, sameStatement(), { clients, seconds }));
      best.same.push(Math.max(...rates));
      best.bare.push(await pgbench(stage, bareInsert(), { clients: 64, seconds }));
      await seed(stage.db, owner, crowd);
      const sample = await closedLoop(() => lane.push(anyMessage()).then(mustBeStored), {
        ...{ workers: senders, seconds, ours },
      });
      best.ours.push(sample.perSecond);
      othersCpu = Math.max(othersCpu, sample.othersCpu);
      round.report(`round ${n + 1}: ${Math.round(sample.perSecond)}/s, p99 ${sample.p99Ms.toFixed(1)} ms`);
    }
    await owner.end();
    const [candidate, same, bare] = [median(best.ours), median(best.same), median(best.bare)];
    const common = { figure: 'complete stored sends, groups of ten', unit: 'sends/s', candidate, othersCpu };
    return [
      line(common, `pgbench, the same statement, best of ${clientCounts.join(', ')} clients`, same, 6),
      line(common, 'pgbench, one bare insert a transaction, 64 clients', bare, 3),
    ];
  },
};

/** Complete stored sends to fresh tables, for other figures that ask what becomes of them. */
export async function sendsPerSecond(stage: Round['stage'], seconds: number): Promise<Sample> {
  const lane = createStoreLane(stage.db);
  await withOwner(stage, (owner) => seed(stage.db, owner, crowd));
  return closedLoop(() => lane.push(anyMessage()).then(mustBeStored), {
    ...{ workers: senders, seconds, ours: () => [stage.postgres.pid] },
  });
}

export const hot: Figure = {
  name: 'hot',
  what: 'one conversation that everybody writes in',
  async measure({ stage, rounds, seconds, report }: Round): Promise<Line[]> {
    const owner = openDb({ url: stage.ownerUrl, applicationName: 'bench-owner', statementTimeoutMs: 900_000 });
    const lane = createStoreLane(stage.db);
    const ours = () => [stage.postgres.pid];
    const rates = { single: [] as number[], ours: [] as number[], p99: [] as number[] };
    let othersCpu = 0;
    const toHot = () => messageTo(0, anyPlace());
    for (let n = 0; n < rounds; n += 1) {
      await seed(stage.db, owner, crowd);
      const single = await closedLoop(async () => storeMessages(stage.db, [toHot()], sendRights), {
        ...{ workers: 64, seconds, ours },
      });
      const batched = await closedLoop(() => lane.push(toHot()).then(mustBeStored), { workers: 64, seconds, ours });
      const perSecond = batched.perSecond * 0.8;
      let refused = 0;
      const untilStored = (message: NewMessageRow) => insist(lane, message, () => (refused += 1));
      const open = await openLoop(() => untilStored(toHot()), { perSecond, seconds, ours });
      rates.single.push(single.perSecond);
      rates.ours.push(batched.perSecond);
      rates.p99.push(open.p99Ms);
      othersCpu = Math.max(othersCpu, batched.othersCpu, open.othersCpu);
      report(
        `round ${n + 1}: ${Math.round(batched.perSecond)}/s against ${Math.round(single.perSecond)}/s, refused ${refused} of ${open.count}`,
      );
    }
    await owner.end();
    const [candidate, against, p99] = [median(rates.ours), median(rates.single), median(rates.p99)];
    const common = { figure: 'one hot conversation', unit: 'sends/s', candidate, othersCpu };
    return [
      line(common, 'one statement a message, 64 senders', against, 30),
      {
        ...{ figure: 'one hot conversation, p99 at 80 % of that load', reference: '', unit: 'ms', othersCpu },
        ...{ candidate: p99, against: 10, ratio: p99 / 10, goal: '≤ 10 ms', reached: p99 <= 10 },
      },
    ];
  },
};

function line(
  common: Pick<Line, 'figure' | 'unit' | 'candidate' | 'othersCpu'>,
  reference: string,
  against: number,
  times: number,
): Line {
  const ratio = common.candidate / against;
  return { ...common, reference, against, ratio, goal: `≥ ${times}×`, reached: ratio >= times };
}

/** As a client does: who is refused because too many wait comes again when they were told to, and is timed all the while. */
async function insist(
  lane: ReturnType<typeof createStoreLane>,
  message: NewMessageRow,
  refused: () => void,
): Promise<void> {
  for (;;) {
    try {
      return mustBeStored(await lane.push(message));
    } catch (error) {
      const { code, retryAfterMs } = error as { code?: string; retryAfterMs?: number };
      if (code !== 'overloaded') throw error;
      refused();
      await setTimeout(retryAfterMs);
    }
  }
}

/** A refusal is quick, and would pass for speed. */
export function mustBeStored(result: { status: string }): void {
  if (result.status !== 'stored') throw new Error(`a send of the benchmark was not stored: ${result.status}`);
}
