import type { Cast } from './cast.ts';
import { type Client, type Person, doors } from './clients/index.ts';
import { held } from './clients/translate.ts';
import { readPersonal, readStored } from './database.ts';
import type { Held, Seen } from './record.ts';
import type { Recorder } from './recorder.ts';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';
import { until } from '../support/until.ts';

/**
 * Milliseconds that clients may take to come to what the database holds, by themselves: the promise is twenty seconds,
 * the rest is for a machine that has much else to do.
 */
const convergeMs = 40_000;
/** Messages in one page of a fresh reading. */
const pageSize = 200;

type Truth = Awaited<ReturnType<typeof readStored>>;

/**
 * Nothing moves any more: waits until every client holds what the database holds, by its own means, and writes down what
 * the database, every client, and somebody who holds nothing yet see. A client that does not come to it is written down
 * as it is.
 */
export async function rest(
  stage: Stage,
  cast: Cast,
  { recorder, random, number }: { recorder: Recorder; random: Random; number: number },
): Promise<{ convergedMs: number }> {
  const truth = await readStored(
    stage.databaseUrl,
    cast.rooms.map(({ id }) => id),
  );
  const began = Date.now();
  await Promise.all(cast.clients.map((client) => converge(client, truth)));
  const convergedMs = Date.now() - began;
  const ids = cast.people.map(({ id }) => id);
  for (const personal of await readPersonal(stage.databaseUrl, ids))
    recorder.add({ kind: 'personal', who: 'stage', rest: number, ...personal });
  for (const stored of truth) recorder.add({ kind: 'stored', who: 'stage', rest: number, ...stored });
  for (const client of cast.clients) recordStates(client, truth, { recorder, number });
  await Promise.all(cast.people.map((person) => readFresh(stage, person, { recorder, random, number, truth })));
  return { convergedMs };
}

/** The versions that a person is to hold. */
const expected = ({ id }: Person, truth: Truth): Map<string, number> =>
  new Map(
    truth
      .filter(({ members }) => members.some(({ userId, present }) => present && userId === id))
      .map(({ conversation, version }) => [conversation, version]),
  );

async function converge(client: Client, truth: Truth): Promise<void> {
  const wanted = expected(client.person, truth);
  const there = () =>
    client.conversations.size === wanted.size &&
    [...wanted].every(([id, version]) => client.conversations.get(id)?.version === version);
  const look = async () => {
    if (!there()) await client.poll();
    return there();
  };
  await until(look, Boolean, convergeMs).catch(() => false);
}

function recordStates(
  client: Client,
  truth: Truth,
  { recorder, number }: { recorder: Recorder; number: number },
): void {
  const ids = new Set([...client.conversations.keys(), ...expected(client.person, truth).keys()]);
  for (const conversation of ids) {
    const state = client.conversations.get(conversation);
    const record = { who: client.who, rest: number, fresh: false, conversation };
    recorder.add({ kind: 'state', ...record, held: state ? held(state) : null });
  }
}

/** Somebody who has held nothing so far reads everything that they may read. */
async function readFresh(
  stage: Stage,
  person: Person,
  { recorder, random, number, truth }: { recorder: Recorder; random: Random; number: number; truth: Truth },
): Promise<void> {
  const who = `${person.id}/fresh ${number}`;
  recorder.add({ kind: 'client', who, person: person.id, door: 'rest' });
  const url = random.pick(stage.nodes)?.url ?? '';
  const client = doors.rest({ who, person, url, recorder, random, dropRate: () => 0 });
  await client.open();
  await client.perform({ what: 'drafts' });
  await client.perform({ what: 'blocks' });
  for (const conversation of new Set([...client.conversations.keys(), ...expected(person, truth).keys()])) {
    const state = client.conversations.get(conversation);
    const whole = state && (await withHistory(client, held(state), conversation));
    recorder.add({ kind: 'state', who, rest: number, fresh: true, conversation, held: whole ?? null });
    if (state) await client.perform({ what: 'threads', conversation, limit: pageSize });
  }
}

/** A snapshot brings the newest messages; the others are paged to. */
async function withHistory(client: Client, state: Held, conversation: string): Promise<Held> {
  let { messages } = state;
  for (;;) {
    const before = messages[0]?.seq ?? 0;
    if (before <= 1) return { ...state, messages };
    const outcome = await client.perform({ what: 'page', conversation, before, limit: pageSize });
    const older: Seen[] = outcome.result === 'ok' ? (outcome.answer.messages ?? []) : [];
    if (older.length === 0) return { ...state, messages };
    messages = [...older, ...messages];
  }
}
