import type { Actor } from '../../domain/deps.ts';
import { logAfter } from '../../db/queries/log.ts';
import { judgedScope } from '../../db/read-scope.ts';
import { sync } from '../../domain/sync/index.ts';
import type { ConversationId, SessionId } from '../../contracts/ids.ts';
import { createMac } from '../../platform/mac.ts';
import type { Figure, Line, Round } from '../lib/figure.ts';
import { closedLoop, median } from '../lib/load.ts';
import { type Crowd, fill, groupId, groupsOf, personId, seed } from '../lib/people.ts';

/** Everybody is in a hundred conversations. */
const crowd: Crowd = { people: 100, groups: 1_000, size: 10 };
const perGroup = 1_000;
/** Of the hundred, so many have moved since the client was last there, each by so many messages. */
const stale = { conversations: 10, messages: 5 };

export const resync: Figure = {
  name: 'resync',
  what: `coming back to a hundred conversations, ${stale.conversations} of which have moved, with a million messages stored`,
  async measure(round) {
    await round.withOwner(async (owner) => {
      await seed(round.stage.db, owner, crowd);
      await fill(owner, crowd, perGroup);
    });
    return measureResync(round, { crowd, perGroup, stored: '1 million messages' });
  },
};

/** In a database that is filled already, with so many messages in each group. */
export async function measureResync(
  { stage, rounds, seconds, report }: Round,
  filled: { crowd: Crowd; perGroup: number; stored: string },
): Promise<Line[]> {
  const deps = { db: stage.db, mac: createMac('a secret of the benchmark, long enough') };
  const actor: Actor = { userId: personId(7), sessionId: personId(7) as unknown as SessionId };
  const known = knownOf(filled.crowd, filled.perGroup);
  const taken = { each: [] as number[], ours: [] as number[], p99: [] as number[] };
  let othersCpu = 0;
  const options = { workers: 1, seconds, ours: () => [stage.postgres.pid] };
  for (let n = 0; n < rounds; n += 1) {
    const each = await closedLoop(async () => {
      for (const [conversationId, version] of known)
        await logAfter(
          stage.db,
          actor.userId,
          [{ scope: judgedScope({ reader: actor.userId, conversationId, joinedSeq: 0 }), version }],
          100,
        );
    }, options);
    const together = await closedLoop(async () => {
      const { changes } = await sync(deps, actor, { known });
      if (changes.length !== stale.conversations) throw new Error(`${changes.length} conversations had moved`);
    }, options);
    taken.each.push(each.p50Ms);
    taken.ours.push(together.p50Ms);
    taken.p99.push(together.p99Ms);
    othersCpu = Math.max(othersCpu, together.othersCpu);
    report(
      `round ${n + 1}: ${together.p50Ms.toFixed(2)} ms (p99 ${together.p99Ms.toFixed(2)}) against ${each.p50Ms.toFixed(1)} ms`,
    );
  }
  const [candidate, against, p99] = [median(taken.ours), median(taken.each), median(taken.p99)];
  const figure = `resync of ${known.length} conversations, ${filled.stored}`;
  const ratio = against / candidate;
  return [
    {
      ...{
        figure,
        reference: 'one query a conversation',
        unit: 'ms (p50)',
        candidate,
        against,
        othersCpu,
      },
      ...{ ratio, goal: '≥ 40×', reached: ratio >= 40 },
    },
    {
      ...{ figure: `${figure}, p99`, reference: '', unit: 'ms', candidate: p99, against: 3, othersCpu },
      ...{ ratio: p99 / 3, goal: '≤ 3 ms', reached: p99 <= 3 },
    },
  ];
}

/** What a client of person 7 holds that was away for a while. */
function knownOf(filled: Crowd, messages: number): [ConversationId, number][] {
  const known = groupsOf(7, filled).map((group, n): [ConversationId, number] => [
    groupId(group),
    1 + messages - (n < stale.conversations ? stale.messages : 0),
  ]);
  return known.sort(([a], [b]) => (a < b ? -1 : 1));
}
