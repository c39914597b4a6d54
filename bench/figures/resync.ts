import { openDb } from '../../db/client.ts';
import type { Actor } from '../../domain/deps.ts';
import { eventsAfter, sync } from '../../domain/sync/index.ts';
import type { ConversationId, SessionId } from '../../contracts/ids.ts';
import { createMac } from '../../platform/mac.ts';
import type { Figure } from '../lib/figure.ts';
import { closedLoop, median } from '../lib/load.ts';
import { type Crowd, groupId, idSql, personId, seed } from '../lib/people.ts';

/** Everybody is in a hundred conversations. */
const crowd: Crowd = { people: 100, groups: 1_000, size: 10 };
const perGroup = 1_000;
/** Of the hundred, so many have moved since the client was last there, each by so many messages. */
const stale = { conversations: 10, messages: 5 };

export const resync: Figure = {
  name: 'resync',
  what: `coming back to a hundred conversations, ${stale.conversations} of which have moved, with a million messages stored`,
  async measure({ stage, rounds, seconds, report }) {
    const owner = openDb({ url: stage.ownerUrl, applicationName: 'bench-owner', statementTimeoutMs: 600_000 });
    await seed(stage.db, owner, crowd);
    await fill(owner);
    const deps = { db: stage.db, mac: createMac('a secret of the benchmark, long enough') };
    const actor: Actor = { userId: personId(7), sessionId: personId(7) as unknown as SessionId };
    const mine = groupsOf(7);
    const known = mine.map((group, n): [ConversationId, number] => [
      groupId(group),
      1 + perGroup - (n < stale.conversations ? stale.messages : 0),
    ]);
    known.sort(([a], [b]) => (a < b ? -1 : 1));
    const rates = { each: [] as number[], ours: [] as number[], p99: [] as number[] };
    let othersCpu = 0;
    const options = { workers: 1, seconds, ours: () => [stage.postgres.pid] };
    for (let n = 0; n < rounds; n += 1) {
      const each = await closedLoop(async () => {
        for (const [id, after] of known) await eventsAfter(deps, actor, id, { after, limit: 100 });
      }, options);
      const together = await closedLoop(async () => {
        const { changes } = await sync(deps, actor, { known });
        if (changes.length !== stale.conversations) throw new Error(`${changes.length} conversations had moved`);
      }, options);
      rates.each.push(each.p50Ms);
      rates.ours.push(together.p50Ms);
      rates.p99.push(together.p99Ms);
      othersCpu = Math.max(othersCpu, together.othersCpu);
      report(`round ${n + 1}: ${together.p50Ms.toFixed(2)} ms against ${each.p50Ms.toFixed(1)} ms`);
    }
    await owner.end();
    const [candidate, against, p99] = [median(rates.ours), median(rates.each), median(rates.p99)];
    const figure = 'resync of 100 conversations, 1 million messages';
    const ratio = against / candidate;
    return [
      {
        ...{ figure, reference: 'one query a conversation', unit: 'ms (p50)', candidate, against, othersCpu },
        ...{ ratio, goal: '≥ 40×', reached: ratio >= 40 },
      },
      {
        ...{ figure: `${figure}, p99`, reference: '', unit: 'ms', candidate: p99, against: 3, othersCpu },
        ...{ ratio: p99 / 3, goal: '≤ 3 ms', reached: p99 <= 3 },
      },
    ];
  },
};

const groupsOf = (person: number): number[] =>
  Array.from({ length: crowd.groups }, (_, group) => group).filter((group) =>
    Array.from({ length: crowd.size }, (_, i) => (group * crowd.size + i) % crowd.people).includes(person),
  );

async function fill(owner: ReturnType<typeof openDb>): Promise<void> {
  await owner.query({
    text: `insert into messages (conversation_id, seq, version, changed_version, id, client_id, sender_id, text, fingerprint, created_at)
      select ${idSql(2, 'g')}, n, n + 1, n + 1, gen_random_uuid(), gen_random_uuid(), ${idSql(1, '(g * 10) % 100')}, 'a message of some length', '', now()
      from generate_series(0, $1::bigint - 1) g, generate_series(1, $2::bigint) n`,
    values: [crowd.groups, perGroup],
  });
  await owner.query({
    text: `insert into events (conversation_id, version, seq, type, actor_id, at, data)
      select id, 1, 0, 'conversation.created', created_by, created_at,
        jsonb_build_object('kind', 'group', 'title', title, 'description', null, 'visibility', 'invited', 'posting', 'members',
          'history', 'all', 'members', '[]'::jsonb, 'memberCount', 10) from conversations`,
    values: [],
  });
  await owner.query({ text: 'update conversations set version = $1 + 1, last_seq = $1', values: [perGroup] });
  await owner.query({
    text: 'update members set read_seq = $1 - 5, delivered_seq = $1 - 5, seen_seq = $1 - 5',
    values: [perGroup],
  });
  await owner.query({ text: 'vacuum (analyze)', values: [] });
}
