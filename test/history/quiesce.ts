import type { Cast, Room } from './cast.ts';
import { othersDifferences, ownDifferences } from './checker/standing.ts';
import { type Client, type Person, doors } from './clients/index.ts';
import { held } from './clients/translate.ts';
import { readMembers, readPersonal, readStored, toWorkOff } from './database.ts';
import type { Held, Seen, StoredMember } from './record.ts';
import type { Recorder } from './recorder.ts';
import type { Random } from './random.ts';
import type { Node, Stage } from './stage.ts';
import { until } from '../support/until.ts';

/**
 * Milliseconds that clients are waited for to come to what the database holds, by themselves. What is promised is twenty
 * seconds, and that is measured by the clock of the node: looks of its digest, one each second. Ours would say how busy
 * this machine is. A node whose digest stands still is found by this bound.
 */
const convergeMs = 60_000;
/** Milliseconds between two readings of how many looks there were: what lies between two counts as the earlier one. */
const looksMs = 250;
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
  const looks = await watchLooks(stage.nodes);
  const began = Date.now();
  await until(
    () => toWorkOff(stage.databaseUrl),
    (left) => left === 0,
    convergeMs,
  );
  const before = await readRooms(stage, cast);
  const come = async (client: Client) => {
    const came = await converge(client, before);
    recorder.add({ kind: 'current', who: client.who, rest: number, looks: came ? looks.of(client.url) : null });
  };
  await Promise.all(cast.clients.map(come)).finally(() => looks.stop());
  const convergedMs = Date.now() - began;
  const truth = await settled(stage, cast);
  for (const stored of truth) recorder.add({ kind: 'stored', who: 'stage', rest: number, ...stored });
  for (const client of cast.clients) recordStates(client, truth, { recorder, number });
  const ids = cast.people.map(({ id }) => id);
  for (const personal of await readPersonal(stage.databaseUrl, ids))
    recorder.add({ kind: 'personal', who: 'stage', rest: number, ...personal });
  await Promise.all(cast.people.map((person) => readFresh(stage, person, { recorder, random, number, truth })));
  return { convergedMs };
}

const readRooms = (stage: Stage, cast: Cast): Promise<Truth> =>
  readStored(
    stage.databaseUrl,
    cast.rooms.map(({ id }) => id),
  );

/**
 * What is read is told a moment after it is shown, and then all that have lost it must come to hear of it: waited for as
 * long as for the log. What is promised is counted by the client's own clock (`resyncMs`) and no digest, for nothing in
 * the log moves any more. What has not come by then is written down as it is. Answers with what the database holds, as the
 * clients hold it at that moment: what was agreed on before may have been from before an acknowledgement.
 */
async function settled(stage: Stage, cast: Cast): Promise<Truth> {
  const ids = cast.rooms.map(({ id }) => id);
  let truth: Truth = [];
  const look = async () => {
    if (!isSettled(cast, await readMembers(stage.databaseUrl, ids))) return false;
    truth = await readRooms(stage, cast);
    return isSettled(cast, new Map(truth.map(({ conversation, members }) => [conversation, members])));
  };
  const isAtRest = await until(look, Boolean, convergeMs).catch(() => false);
  return isAtRest ? truth : readRooms(stage, cast);
}

const isSettled = (cast: Cast, members: ReadonlyMap<string, readonly StoredMember[]>): boolean =>
  cast.clients.every((client) => cast.rooms.every((room) => holdsAs(client, room, members.get(room.id) ?? [])));

function holdsAs(client: Client, { id, channel }: Room, members: readonly StoredMember[]): boolean {
  const person = client.person.id;
  const own = client.own?.(id);
  const row = members.find(({ userId, present }) => present && userId === person);
  if (!own || !row) return true;
  return ownDifferences(own, row).length === 0 && othersDifferences(own, person, { members, channel }).length === 0;
}

/** Counts the looks of each node's digest from now on. */
async function watchLooks(nodes: readonly Node[]): Promise<{ of(url: string): number; stop(): void }> {
  const first = new Map<string, number>();
  const last = new Map<string, number>();
  const read = async () => {
    for (const node of nodes) last.set(node.url, await node.looks());
  };
  await read();
  for (const [url, looks] of last) first.set(url, looks);
  // One that fails is made up for by the next.
  const timer = setInterval(() => void read().catch(() => undefined), looksMs);
  return { of: (url) => (last.get(url) ?? 0) - (first.get(url) ?? 0), stop: () => clearInterval(timer) };
}

/** The versions that a person is to hold. */
const expected = ({ id }: Person, truth: Truth): Map<string, number> =>
  new Map(
    truth
      .filter(({ members }) => members.some(({ userId, present }) => present && userId === id))
      .map(({ conversation, version }) => [conversation, version]),
  );

async function converge(client: Client, truth: Truth): Promise<boolean> {
  const wanted = expected(client.person, truth);
  const there = () =>
    client.conversations.size === wanted.size &&
    [...wanted].every(([id, version]) => client.conversations.get(id)?.version === version);
  const look = async () => {
    if (!there()) await client.poll();
    return there();
  };
  return until(look, Boolean, convergeMs).catch(() => false);
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
    const own = client.own?.(conversation);
    recorder.add({ kind: 'state', ...record, held: state ? held(state) : null, ...(own ? { own } : {}) });
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
