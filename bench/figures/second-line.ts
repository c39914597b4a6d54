import { randomUUIDv7 } from 'node:crypto';
import type { ConversationId, MessageId, SessionId } from '../../contracts/ids.ts';
import type { Db } from '../../db/client.ts';
import { addMembers, listConversations, removeMember } from '../../domain/conversations/index.ts';
import type { Actor, Deps } from '../../domain/deps.ts';
import { getMessage, listMessages, setReaction } from '../../domain/messages/index.ts';
import { sync } from '../../domain/sync/index.ts';
import { createMac } from '../../platform/mac.ts';
import type { Figure, Line } from '../lib/figure.ts';
import { closedLoop, median } from '../lib/load.ts';
import { type Crowd, fill, groupId, groupsOf, idSql, personId, seed } from '../lib/people.ts';
import { sendsPerSecond } from './sends.ts';

/** Everybody is in a hundred conversations. */
const crowd: Crowd = { people: 100, groups: 1_000, size: 10 };
const perGroup = 200;
const goal = 1.05;

const actor: Actor = { userId: personId(7), sessionId: personId(7) as unknown as SessionId };
const mac = createMac('a secret of the benchmark, long enough');
const groups = groupsOf(7, crowd).map(groupId);
const known = groups.map((id): [ConversationId, number] => [id, perGroup - 4]).sort(([a], [b]) => (a < b ? -1 : 1));
const group = () => groups[Math.floor(Math.random() * groups.length)] ?? groupId(0);

/** What a person's own transaction and PostgreSQL's look at each row cost, by what is read. */
const readings = {
  'one message': async (db: Db, messageId: (of: ConversationId) => MessageId) => {
    const id = group();
    return getMessage({ db }, actor, id, messageId(id));
  },
  'a page of 50 messages': (db: Db) => listMessages({ db }, actor, group(), { limit: 50 }),
  'a page of 50 conversations': (db: Db) => listConversations({ db, mac }, actor, { limit: 50 }),
  'sync of 100 conversations, five messages each': (db: Db) => sync({ db, mac }, actor, { known }),
};

type ChangeDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'publishLive'>;

/** Somebody who is in none of these groups. */
const newcomer = personId(50);

/** What PostgreSQL's look at each row, as it is and as it becomes, costs a change in a person's own transaction. */
const changes = {
  'a reaction, and back': async (deps: ChangeDeps, id: ConversationId, message: MessageId) => {
    for (const on of [true, false]) await setReaction(deps, actor, id, message, { emoji: '👍', on });
  },
  'a member, and back': async (deps: ChangeDeps, id: ConversationId) => {
    await addMembers(deps, actor, id, { userIds: [newcomer] });
    await removeMember(deps, actor, id, newcomer);
  },
};

export const secondLine: Figure = {
  name: 'second-line',
  what: 'what row-level security costs: the same readings in a person’s name and without, changes and sends with policies and without',
  async measure(round) {
    const { stage, rounds, seconds, report, withOwner } = round;
    const messageId = await withOwner(async (owner) => {
      await seed(stage.db, owner, crowd);
      await fill(owner, crowd, perGroup);
      const { rows } = await owner.query<{ group: ConversationId; id: MessageId }>({
        text: `select ${idSql(2, 'g')} as "group", ${idSql(4, `g * ${perGroup} + 100`)} as id from generate_series(0, $1::bigint - 1) g`,
        values: [crowd.groups],
      });
      const ids = new Map(rows.map(({ group: of, id }) => [of, id]));
      return (of: ConversationId) => ids.get(of) as MessageId;
    });
    const lines: Line[] = [];
    const person = stage.db.as(actor.userId);
    const options = { workers: 1, seconds, ours: () => [stage.postgres.pid] };
    for (const [what, read] of Object.entries(readings)) {
      const taken = { all: [] as number[], person: [] as number[] };
      let othersCpu = 0;
      for (let n = 0; n < rounds; n += 1) {
        const all = await closedLoop(() => read(stage.db, messageId), options);
        const theirs = await closedLoop(() => read(person, messageId), options);
        taken.all.push(all.p50Ms);
        taken.person.push(theirs.p50Ms);
        othersCpu = Math.max(othersCpu, all.othersCpu, theirs.othersCpu);
      }
      const [candidate, against] = [median(taken.person), median(taken.all)];
      report(`${what}: ${candidate.toFixed(2)} ms against ${against.toFixed(2)} ms`);
      lines.push(lineOf(`${what}, in a person’s name`, { candidate, against, othersCpu, unit: 'ms (p50)' }));
    }
    return [...lines, ...(await changesWithPolicies(round, messageId)), await sendsWithPolicies(round)];
  },
};

/** In a person's name both times: what differs is whether there are policies, and the trigger that holds a membership. */
async function changesWithPolicies(
  { stage, withOwner, rounds, seconds, report }: Parameters<Figure['measure']>[0],
  messageId: (of: ConversationId) => MessageId,
): Promise<Line[]> {
  await withOwner((owner) =>
    owner.query({ text: "update members set role = 'owner' where user_id = $1", values: [actor.userId] }),
  );
  const deps: ChangeDeps = {
    ...{ db: stage.db.as(actor.userId), now: () => new Date() },
    ...{ newId: <Id extends string>() => randomUUIDv7() as Id, publishLive: () => undefined },
  };
  const options = { workers: 1, seconds, ours: () => [stage.postgres.pid] };
  const lines: Line[] = [];
  for (const [what, change] of Object.entries(changes)) {
    const taken = { with: [] as number[], without: [] as number[] };
    let othersCpu = 0;
    for (let n = 0; n < rounds; n += 1)
      for (const policies of ['without', 'with'] as const) {
        await withOwner((owner) => setPolicies(owner, policies === 'with'));
        const sample = await closedLoop(() => {
          const id = group();
          return change(deps, id, messageId(id));
        }, options);
        taken[policies].push(sample.p50Ms);
        othersCpu = Math.max(othersCpu, sample.othersCpu);
      }
    const [candidate, against] = [median(taken.with), median(taken.without)];
    report(`${what}: ${candidate.toFixed(2)} ms with policies, ${against.toFixed(2)} ms without`);
    lines.push(lineOf(`${what}, with policies on its tables`, { candidate, against, othersCpu, unit: 'ms (p50)' }));
  }
  return lines;
}

/** Sends are stored as everybody, many people's in one statement: what they pay is that there are policies at all. */
async function sendsWithPolicies({
  stage,
  withOwner,
  rounds,
  seconds,
  report,
}: Parameters<Figure['measure']>[0]): Promise<Line> {
  const rates = { with: [] as number[], without: [] as number[] };
  let othersCpu = 0;
  for (let n = 0; n < rounds; n += 1) {
    for (const policies of ['without', 'with'] as const) {
      await withOwner((owner) => setPolicies(owner, policies === 'with'));
      const sample = await sendsPerSecond(stage, seconds);
      rates[policies].push(sample.perSecond);
      othersCpu = Math.max(othersCpu, sample.othersCpu);
    }
    report(
      `sends: ${Math.round(rates.with.at(-1) ?? 0)}/s with policies, ${Math.round(rates.without.at(-1) ?? 0)}/s without`,
    );
  }
  const [candidate, against] = [1e6 / median(rates.with), 1e6 / median(rates.without)];
  return lineOf('a stored send, with policies on its tables', { candidate, against, othersCpu, unit: 'µs' });
}

const setPolicies = (owner: Db, on: boolean) =>
  owner.query({
    text: `do $$ declare t text; begin
      for t in select tablename from pg_policies where policyname = 'person' loop
        execute format('alter table %I ${on ? 'enable' : 'disable'} row level security', t);
      end loop;
      alter table members ${on ? 'enable' : 'disable'} trigger led;
    end $$`,
    values: [],
  });

function lineOf(figure: string, measured: Pick<Line, 'candidate' | 'against' | 'othersCpu' | 'unit'>): Line {
  const ratio = measured.candidate / measured.against;
  return { figure, reference: 'the same without', ...measured, ratio, goal: `≤ ${goal}×`, reached: ratio <= goal };
}
