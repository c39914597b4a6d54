import { randomUUIDv7 } from 'node:crypto';
import { password } from '../factories/person.ts';
import { call, expectStatus } from '../support/rest.ts';
import { type Client, type Door, type Person, doors } from './clients/index.ts';
import type { Random } from './random.ts';
import type { Recorder } from './recorder.ts';
import type { Stage } from './stage.ts';

export const castSize = {
  people: 16,
  conversations: 32,
  /** Members of a conversation at its beginning, its owner counted, and people who may come besides. */
  members: 4,
  outsiders: 2,
};

/**
 * The devices that people have, by their doors, one person after another. Who has one only, on one node, hears what happens
 * on the other over the bus or by a digest; two devices are on two nodes.
 */
const households: readonly (readonly Door[])[] = [
  ['socket'],
  ['socket', 'rest'],
  ['socket', 'sdk'],
  ['sdk'],
  ['socket', 'socket'],
  ['sdk', 'rest'],
];

/** A conversation as the run goes on; who belongs to it is what the owner was told last. */
export interface Room {
  id: string;
  owner: string;
  /** People who come and go. */
  others: readonly string[];
  present: Set<string>;
  /** A change of its members is under way; they are made one after another. */
  busy: boolean;
  channel: boolean;
}

export interface Cast {
  clients: Client[];
  rooms: Room[];
  people: Person[];
}

/** People with their devices, on both nodes and through every door, and the conversations between them. */
export async function makeCast(
  stage: Stage,
  { recorder, random, dropRate, round }: { recorder: Recorder; random: Random; dropRate: () => number; round: number },
): Promise<Cast> {
  const people: Person[] = [];
  for (let n = 0; n < castSize.people; n += 1) people.push(await register(stage, `p${round}-${n}`));
  const rooms: Room[] = [];
  for (let n = 0; n < castSize.conversations; n += 1)
    rooms.push(await makeRoom(stage, people, { n, recorder, random }));
  const clients = people.flatMap((person, n) =>
    (households[n % households.length] ?? []).map((door, device) => {
      const who = `p${round}-${n}/${device}`;
      const shift = Math.floor(n / households.length);
      const url = stage.nodes[(n + shift + device) % stage.nodes.length]?.url ?? '';
      // The typed client says itself which process of it there is.
      if (door !== 'sdk') recorder.add({ kind: 'client', who, person: person.id, door });
      return doors[door]({ who, person, url, recorder, random: random.fork(`${who} drops`), dropRate });
    }),
  );
  await Promise.all(clients.map((client) => client.open()));
  return { clients, rooms, people };
}

async function register(stage: Stage, name: string): Promise<Person> {
  const body = {
    email: `${name}.${randomUUIDv7()}@example.test`,
    password,
    displayName: name,
  };
  const answer = await call<{ user: { id: string }; session: { accessToken: string } }>(
    ...([stage.nodes[0]?.url ?? '', 'POST', '/v1/auth/register', { body }] as const),
  );
  const { user, session } = expectStatus(answer, 201);
  return { id: user.id, email: body.email, token: session.accessToken };
}

async function makeRoom(
  stage: Stage,
  people: readonly Person[],
  { n, recorder, random }: { n: number; recorder: Recorder; random: Random },
): Promise<Room> {
  const chosen = shuffled(people, random).slice(0, castSize.members + castSize.outsiders);
  const [owner, ...others] = chosen as [Person, ...Person[]];
  const members = others.slice(0, castSize.members - 1).map(({ id }) => id);
  const history = n % 2 === 0 ? 'all' : 'joining';
  // One in eight is a channel: there, who comes and goes leaves no line in the timeline.
  const channel = n % 8 === 7;
  const kind = channel ? 'channel' : 'group';
  const body = { clientId: randomUUIDv7(), kind, title: `room ${n}`, memberIds: members, history };
  const answer = await call<{ id: string }>(
    ...([
      stage.nodes[n % stage.nodes.length]?.url ?? '',
      'POST',
      '/v1/conversations',
      { token: owner.token, body },
    ] as const),
  );
  const { id } = expectStatus(answer, 201);
  recorder.add({
    kind: 'founded',
    who: 'stage',
    conversation: id,
    owner: owner.id,
    history,
    channel,
  });
  const came = { others: others.map((person) => person.id), present: new Set(members) };
  return { id, owner: owner.id, ...came, busy: false, channel };
}

/** Fisher and Yates. */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [all[last], all[other]] = [all[other] as Item, all[last] as Item];
  }
  return all;
}
