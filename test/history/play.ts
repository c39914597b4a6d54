import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message } from '../../contracts/entities/index.ts';
import type { ConversationState } from '../../sdk/reducer.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Cast } from './cast.ts';
import type { Client } from './clients/index.ts';
import type { Operation, OperationOf, Role, Settings } from './record.ts';
import type { Outcome } from './recorder.ts';
import type { Random } from './random.ts';

/** What the clients do until they are told to stop; what comes next is chosen by the seed. */
export interface Play {
  cast: Cast;
  /** Sends that were acked, each counted once. */
  acked: number;
  stopped: boolean;
}

/** How often each thing is done, in parts of their sum. */
const weights = {
  send: 60,
  reply: 8,
  mention: 4,
  forward: 4,
  repeat: 8,
  conflict: 1,
  edit: 8,
  delete: 3,
  react: 10,
  pin: 3,
  read: 8,
  follow: 4,
  mark: 2,
  set: 3,
  draft: 3,
  block: 2,
  page: 4,
  members: 4,
  role: 2,
  title: 1,
  ahead: 1,
};
type Deed = keyof typeof weights;
const deeds = (Object.keys(weights) as Deed[]).flatMap((deed) => Array.from({ length: weights[deed] }, () => deed));
const roles: readonly Role[] = ['admin', 'member', 'member', 'read_only'];
const levels: readonly Settings['level'][] = ['all', 'mentions', 'nothing', null];
const emojis = ['👍', '🎉', '❤️', '👀'];

const playLimits = {
  /** Things that one device has under way at once. */
  lanes: 3,
  /** Sends at once, of one deed. */
  burst: 4,
  /** Tries of what is not known to have happened. */
  tries: 120,
  /** Milliseconds between them. */
  againMs: 120,
  /** The share of what is not known to have happened that is left so. */
  leftUnknown: 0.1,
};

/** Every device at work; resolves when all of them have come to rest. */
export async function work(play: Play, random: Random): Promise<void> {
  const lanes = play.cast.clients.flatMap((client) =>
    Array.from({ length: playLimits.lanes }, async (_, lane) => {
      const own = random.fork(`${client.who} ${lane}`);
      while (!play.stopped) await act(play, client, own);
    }),
  );
  await Promise.all(lanes);
}

async function act(play: Play, client: Client, random: Random): Promise<void> {
  const state = random.pick([...client.conversations.values()]);
  if (client.door === 'rest' && random.chance(0.2)) await client.poll();
  if (!state) return void (await sleep(playLimits.againMs));
  const actor: Actor = { play, client, state, random };
  await doing[random.pick(deeds) ?? 'send'](actor);
}

interface Actor {
  play: Play;
  client: Client;
  state: ConversationState;
  random: Random;
}

const doing: Record<Deed, (actor: Actor) => Promise<unknown>> = {
  send: (actor) => Promise.all(Array.from({ length: 1 + actor.random.below(playLimits.burst) }, () => send(actor))),
  reply: (actor) => reply(actor),
  mention: (actor) => {
    const mention = actor.random.pick([...(actor.state.members?.keys() ?? [])]);
    return send(actor, { ...newSend(actor), ...(mention ? { mention } : {}) });
  },
  forward,
  repeat: (actor) => repeat(actor, newSend(actor)),
  conflict: (actor) => conflict(actor, newSend(actor)),
  edit: (actor) => onMessage(actor, true, (at) => ({ what: 'edit', ...at, ...wording(actor) })),
  delete: (actor) => onMessage(actor, true, (at) => ({ what: 'delete', ...at })),
  react: (actor) => onMessage(actor, false, (at) => ({ what: 'react', ...at, ...reaction(actor) })),
  pin: (actor) => onMessage(actor, false, (at) => ({ what: 'pin', ...at, on: actor.random.chance(0.7) })),
  read: ({ client, state, random }) =>
    client.perform({ what: 'read', conversation: state.id, seq: Math.max(0, state.lastSeq - random.below(5)) }),
  follow: followThread,
  mark: ({ client, state, random }) => {
    const seq = random.chance(0.7) ? Math.max(0, state.lastSeq - random.below(20)) : null;
    return client.perform({ what: 'mark', conversation: state.id, seq });
  },
  set: (actor) => anyDevice(actor).perform({ what: 'set', conversation: actor.state.id, settings: someSetting(actor) }),
  draft: (actor) => {
    const text = actor.random.chance(0.7) ? wording(actor).text : null;
    return anyDevice(actor).perform({ what: 'draft', conversation: actor.state.id, text });
  },
  block: (actor) => {
    const others = actor.play.cast.people.filter(({ id }) => id !== actor.client.person.id);
    const person = actor.random.pick(others)?.id ?? '';
    return anyDevice(actor).perform({ what: 'block', person, on: actor.random.chance(0.5) });
  },
  page: readPage,
  members: moveMembers,
  role: changeRole,
  title: (actor) =>
    asLead(actor, { what: 'title', conversation: actor.state.id, title: `title ${actor.random.below(1_000)}` }),
  ahead: ({ client, state }) =>
    client.perform({ what: 'after', conversation: state.id, version: state.version + 1_000_000 }),
};

let words = 0;
/** Words that nobody has said before: what is seen names the attempt that wrote it. */
const wording = ({ client }: Actor) => ({ clientId: randomUUIDv7(), text: `${client.who} says ${(words += 1)}` });
const newSend = (actor: Actor): OperationOf<'send'> => ({
  ...{ what: 'send', conversation: actor.state.id },
  ...wording(actor),
});
const reaction = ({ random }: Actor) => ({ emoji: random.pick(emojis) ?? '👍', on: random.chance(0.7) });

/** One of them: of what two devices set at once, each has the last word of its own. */
function someSetting({ random }: Actor): Partial<Settings> {
  const on = random.chance(0.5);
  const day = 1 + random.below(9);
  const settings: Partial<Settings>[] = [
    { level: random.pick(levels) ?? null },
    { pinned: on },
    { archived: on },
    { mutedUntil: on ? `2099-01-0${day}T00:00:00.000Z` : null },
  ];
  return random.pick(settings) ?? {};
}

async function send(actor: Actor, operation: OperationOf<'send' | 'forward'> = newSend(actor)): Promise<void> {
  const outcome = await persist(actor, operation);
  if (outcome.result === 'ok') actor.play.acked += 1;
}

/** In a thread that one of the newest messages stands in or begins; now and then to somebody. */
async function reply(actor: Actor): Promise<void> {
  const { state, random } = actor;
  const thread = someMessage(actor, false)?.id;
  const mention = random.chance(0.2) ? random.pick([...(state.members?.keys() ?? [])]) : undefined;
  await send(actor, { ...newSend(actor), ...(thread ? { thread } : {}), ...(mention ? { mention } : {}) });
}

/** Into any conversation that the client holds, the same one too. */
async function forward(actor: Actor): Promise<void> {
  const { client, state, random } = actor;
  const messageId = someMessage(actor, false)?.id;
  const to = random.pick([...client.conversations.keys()]);
  if (!messageId || to === undefined) return send(actor);
  const { clientId } = wording(actor);
  await send(actor, { what: 'forward', conversation: to, clientId, from: state.id, messageId });
}

async function followThread(actor: Actor): Promise<void> {
  const { state, random, client } = actor;
  const message = someMessage(actor, false, ({ threadId, thread }) => threadId !== null || thread !== null);
  if (!message) return;
  const patch = random.chance(0.5)
    ? { following: random.chance(0.6) }
    : { seq: Math.max(0, state.lastSeq - random.below(5)) };
  await client.perform({ what: 'follow', conversation: state.id, messageId: message.id, ...patch });
}

/** The same send several times at once, over this and the person's other device. */
async function repeat(actor: Actor, operation: OperationOf<'send'>): Promise<void> {
  if (!mayBeTold(actor.client, operation)) return sayAgain(actor, operation);
  const copies = 1 + actor.random.below(4);
  const sent = Array.from({ length: copies }, () => anyDevice(actor, operation).perform(operation));
  await Promise.all([send(actor, operation), ...sent]);
}

/** What the typed client has sent, under the id that it gave it, over the person's other device. */
async function sayAgain(actor: Actor, operation: OperationOf<'send'>, text = operation.text): Promise<void> {
  const outcome = await persist(actor, operation);
  const message = outcome.result === 'ok' ? outcome.answer.message : undefined;
  if (!message) return;
  actor.play.acked += 1;
  const { clientId } = message;
  const other = anyDevice(actor, operation);
  if (other !== actor.client) await other.perform({ ...operation, clientId, text });
}

/** Other words under the same clientId, after the first were acked or while they are under way. */
async function conflict(actor: Actor, operation: OperationOf<'send'>): Promise<void> {
  if (!mayBeTold(actor.client, operation)) return sayAgain(actor, operation, `${operation.text} or not`);
  const other = { ...operation, text: `${operation.text} or not` };
  if (actor.random.chance(0.5))
    return void (await Promise.all([send(actor, operation), anyDevice(actor, operation).perform(other)]));
  await send(actor, operation);
  await anyDevice(actor, operation).perform(other);
}

/** Tried again, on either device, until it is known what became of it; now and then it is left unknown. */
async function persist(actor: Actor, operation: Operation): Promise<Outcome> {
  let outcome = await actor.client.perform(operation);
  for (let tried = 1; outcome.result === 'unknown' && tried < playLimits.tries; tried += 1) {
    if (actor.random.chance(playLimits.leftUnknown)) break;
    await sleep(playLimits.againMs);
    outcome = await anyDevice(actor, operation).perform(operation);
  }
  return outcome;
}

/** The typed client names its messages itself, so it can repeat nobody's. */
const mayBeTold = ({ door }: Client, { what }: Operation) => door !== 'sdk' || what !== 'send';

/** Any of the person's devices on which this can be tried again. */
function anyDevice({ play, client, random }: Actor, operation?: Operation): Client {
  const own = play.cast.clients.filter(({ person }) => person.id === client.person.id);
  return random.pick(own.filter((one) => !operation || mayBeTold(one, operation))) ?? client;
}

type At = { conversation: string; messageId: string };

/** One of the newest messages that the client shows. */
function someMessage(
  { client, state, random }: Actor,
  own: boolean,
  fits: (message: Message) => boolean = () => true,
): Message | undefined {
  for (let look = 0; look < 12; look += 1) {
    const message = state.messages.get(state.lastSeq - random.below(30));
    const stands = message?.kind === 'text' && message.text !== null;
    if (stands && (!own || message.senderId === client.person.id) && fits(message)) return message;
  }
  return undefined;
}

/** Something done to one of the newest messages; where there is none that fits, one more is written. */
async function onMessage(actor: Actor, own: boolean, operation: (at: At) => Operation): Promise<void> {
  const message = someMessage(actor, own);
  if (!message) return send(actor);
  await persist(actor, operation({ conversation: actor.state.id, messageId: message.id }));
}

async function readPage({ client, state, random }: Actor): Promise<void> {
  const bound = random.pick([{}, { before: state.lastSeq }, { after: Math.max(0, state.lastSeq - random.below(60)) }]);
  await client.perform({ what: 'page', conversation: state.id, ...bound, limit: 10 + random.below(40) });
}

/** Something that only owners and admins may do; whoever is neither, as far as they know, writes instead. */
async function asLead(actor: Actor, operation: Operation): Promise<void> {
  const role = roleOf(actor);
  if (role === 'owner' || role === 'admin') await persist(actor, operation);
  else await send(actor);
}

const roleOf = ({ client, state }: Actor) => state.members?.get(client.person.id as UserId)?.role;

/** Whoever may not write stays so for a while, and is a member like others then. */
async function changeRole(actor: Actor): Promise<void> {
  const { play, client, random } = actor;
  const room = random.pick(play.cast.rooms.filter(({ owner }) => owner === client.person.id));
  const person = room && random.pick([...room.present]);
  const role = random.pick(roles);
  if (!room || !person || !role) return send(actor);
  await persist(actor, { what: 'role', conversation: room.id, person, role });
}

/** Somebody comes or goes: added, removed or leaving by themselves; one after another in each conversation. */
async function moveMembers(actor: Actor): Promise<void> {
  const { play, client, random } = actor;
  const room = random.pick(play.cast.rooms.filter(({ owner, busy }) => owner === client.person.id && !busy));
  const person = room && random.pick(room.others);
  if (!room || !person) return send(actor);
  room.busy = true;
  const there = room.present.has(person);
  const theirs = play.cast.clients.find((one) => one.person.id === person);
  const leaves = there && theirs !== undefined && random.chance(0.3);
  const operation: Operation = leaves
    ? { what: 'leave', conversation: room.id }
    : { what: there ? 'remove' : 'add', conversation: room.id, person };
  const outcome = await untilKnown({ ...actor, client: leaves ? theirs : client }, operation);
  // Whoever is refused because they are gone is gone.
  if (outcome.result !== 'unknown' && there) room.present.delete(person);
  if (outcome.result === 'ok' && !there) room.present.add(person);
  room.busy = outcome.result === 'unknown';
}

async function untilKnown({ client }: Actor, operation: Operation): Promise<Outcome> {
  for (let tried = 1; ; tried += 1) {
    const outcome = await client.perform(operation);
    if (outcome.result !== 'unknown' || tried >= playLimits.tries) return outcome;
    await sleep(playLimits.againMs);
  }
}
