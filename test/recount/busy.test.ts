import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import type { Conversation, Message } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { SendOutcome } from '../../domain/deps.ts';
import { applyChanges } from '../../domain/calling-off/index.ts';
import { createRecount, recountState } from '../../domain/recount/index.ts';
import {
  type Person,
  deleteMessage,
  makeChannel,
  makeDirect,
  makeGroup,
  read,
  registerDevice,
  registerPerson,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type Random, createRandom } from '../history/random.ts';
import { type ByHand, active, attentionByHand } from '../support/by-hand.ts';

const [minute, hour] = [60_000, 3_600_000];
const seed = Number(process.env.RECOUNT_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** What happens in one run, at least and at most, and how many people it happens to. */
const [steps, people] = [{ least: 400, most: 2_000 }, 12];
/** Sends without which the recount would have agreed with hardly anything: some people want little, and are reached by less. */
const enough = 50;

/**
 * Whatever people do to each other, and however providers answer, what the recount says of it is nothing. It is written
 * without the code that arms, so each is held against the other here, over many more cases than anybody thinks of.
 */
describe(`a busy history (RECOUNT_SEED=${seed})`, () => {
  let hand: ByHand;
  let random: Random;
  const all: Person[] = [];
  const conversations: { conversation: Conversation; members: Set<Person>; messages: Message[] }[] = [];
  before(async function () {
    this.timeout(120_000);
    hand = await attentionByHand();
    random = createRandom(seed);
    for (let n = 0; n < people; n += 1) all.push(await somebody(n));
    // Two people have one direct conversation, however often they are drawn.
    for (const [one, other] of shuffled(pairsOf(all)).slice(0, 4)) {
      const [owner, ...others] = some(5);
      await begin(await makeGroup(owner as Person, others), [owner as Person, ...others]);
      await begin(await makeDirect(one, other), [one, other]);
    }
    const [owner, ...others] = some(6);
    const channel = await makeChannel(owner as Person, { visibility: 'open' });
    for (const person of others) await person.call('POST', `/v1/conversations/${channel.id}/join`);
    await begin(channel, [owner as Person, ...others]);
    for (const provider of [hand.push, hand.email, hand.sms]) provider.answer = () => answer();
  });
  after(() => hand.close());

  const somebody = async (n: number) => {
    const person = await registerPerson(hand.app, `Person ${n}`);
    if (random.chance(0.7)) await registerDevice(person);
    if (random.chance(0.7)) await verifyContacts(hand.app, person);
    return person;
  };
  const shuffled = <T>(items: readonly T[]) => items.toSorted(() => random.next() - 0.5);
  const some = (count: number) => shuffled(all).slice(0, count);
  const pairsOf = <T>(items: readonly T[]): (readonly [T, T])[] =>
    items.flatMap((one, n) => items.slice(n + 1).map((other) => [one, other] as const));
  const begin = async (conversation: Conversation, members: Person[]) => {
    conversations.push({ conversation, members: new Set(members), messages: [] });
  };
  const answer = (): SendOutcome => {
    const chance = random.next();
    if (chance < 0.8) return { class: 'ok', providerId: 'provider' };
    const kind = chance < 0.9 ? 'recipient_soft' : 'recipient_dead';
    return { class: kind, provider: 'fcm', code: 'said so' };
  };

  /** One thing that somebody does; what they may not is refused, and that is as good. */
  const act = async () => {
    const place = random.pick(conversations);
    const person = random.pick([...(place?.members ?? [])]);
    const other = random.pick(all);
    if (!place || !person || !other) return;
    const at = (rest: string) => `/v1/conversations/${place.conversation.id}${rest}`;
    const chance = random.next();
    if (chance < 0.45) return write(place, person);
    if (chance < 0.5) return edit(place);
    if (chance < 0.65) return read(person, place.conversation.id, random.pick(place.messages)?.seq ?? 0);
    if (chance < 0.7)
      return person.call('PATCH', at('/me'), { level: random.pick(['all', 'mentions', 'nothing', null]) });
    if (chance < 0.75)
      return person.call('PATCH', at('/me'), {
        mutedUntil: random.pick([null, new Date(Date.now() + random.below(5_000)).toISOString()]),
      });
    if (chance < 0.8) return person.call(random.chance(0.5) ? 'PUT' : 'DELETE', `/v1/me/blocks/${other.id}`);
    if (chance < 0.85) return deleteMessage(person, place.conversation.id, random.pick(place.messages)?.id ?? '');
    if (chance < 0.9)
      return person.call('PATCH', at(`/messages/${random.pick(place.messages)?.id}/thread`), {
        following: random.chance(0.5),
        ...(random.chance(0.5) ? { readSeq: random.pick(place.messages)?.seq ?? 0 } : {}),
      });
    if (chance < 0.95)
      return person.call('PATCH', '/v1/me/notifications', { level: random.pick(['all', 'mentions', 'nothing']) });
    return comeOrGo(place, person, other);
  };
  const write = async (place: (typeof conversations)[number], person: Person) => {
    const mention = random.pick([
      ...[
        { type: 'everyone' },
        { type: 'here' },
        { type: 'user', userId: random.pick([...place.members])?.id },
        null,
        null,
      ],
    ]);
    const root = random.chance(0.3) ? random.pick(place.messages) : undefined;
    const message = await send(person, place.conversation.id, 'a message', {
      ...(mention ? { mentions: [{ ...mention, offset: 0, length: 1 }] } : {}),
      ...(root ? { threadId: root.id } : {}),
      ...(random.chance(0.05) ? { priority: 'urgent' } : {}),
    }).catch(() => undefined);
    if (message) place.messages.push(message);
  };
  /** Who wrote it mentions somebody else by it, or nobody. */
  const edit = async ({ conversation, members, messages }: (typeof conversations)[number]) => {
    const message = random.pick(messages);
    const author = all.find(({ id }) => id === message?.senderId);
    const mention = random.pick([{ type: 'everyone' }, { type: 'user', userId: random.pick([...members])?.id }, null]);
    await author?.call('PATCH', `/v1/conversations/${conversation.id}/messages/${message?.id}`, {
      ...{ clientId: randomUUIDv7(), text: 'a message, edited' },
      mentions: mention ? [{ ...mention, offset: 0, length: 1 }] : [],
    });
  };
  const comeOrGo = async ({ conversation, members }: (typeof conversations)[number], person: Person, other: Person) => {
    if (members.size < 3) return;
    const path = `/v1/conversations/${conversation.id}`;
    if (random.chance(0.5)) {
      const { status } = await person.call('POST', `${path}/leave`);
      if (status < 300) members.delete(person);
    } else {
      const { status } = await person.call('POST', `${path}/members`, { userIds: [other.id] });
      if (status < 300) members.add(other);
    }
  };

  /** The relay and the workers have their turn, with whoever has something to be decided. */
  const work = async () => {
    while ((await hand.arm()) > 0);
    while ((await applyChanges(hand.deps)) > 0);
    await hand.start();
    for (const person of all) {
      const attention = await hand.attention(person);
      if (attention?.state !== 'running') continue;
      for (let n = 0; n < 5; n += 1) {
        const plan = await hand.decide(person);
        if (plan.kind !== 'notify') break;
        await hand.notify(person, plan);
      }
    }
  };

  it('in which nobody is forgotten, told twice or told what is not theirs, comes to no difference', async () => {
    let [owed, excused] = [0, 0];
    const round = createRecount({
      ...hand.deps,
      meter: {
        ...hand.deps.meter,
        recounted(walk, look) {
          if (walk.startsWith('messages')) [owed, excused] = [owed + look.agreed, excused + look.excused];
        },
      },
    });
    const recounted = async () => {
      while ((await round()) > 0);
      return Object.entries((await recountState(hand.deps)).differences).filter(([, count]) => count > 0);
    };
    const attempts = async () => {
      const { rows } = await hand.sql.query<{ n: number }>('select count(*) as n from attempts');
      return Number(rows[0]?.n);
    };
    for (let n = 0; n < steps.least || (n < steps.most && (await attempts()) <= enough); n += 1) {
      hand.presence = random.chance(0.5) ? active : [];
      await act();
      if (n % 10 === 9) {
        hand.pass(random.below(3 * minute));
        await work();
      }
      if (n % 50 === 49) assert.deepEqual(await recounted(), [], `after ${n + 1} steps`);
    }
    // To the end of every story, and past the day after which the recount looks once more.
    for (let n = 0; n < 12; n += 1) {
      await work();
      hand.pass(n < 6 ? 5 * minute : 8 * hour);
      await work();
      assert.deepEqual(await recounted(), []);
    }
    assert.ok(owed >= 100, `${owed} pairs of message and person were owed, ${excused} excused`);
    assert.ok((await attempts()) > enough);
  }).timeout(300_000);

  it('in which somebody was left out comes to a difference', async () => {
    const [one, other] = [await registerPerson(hand.app, 'One'), await registerPerson(hand.app, 'Other')];
    const group = await makeGroup(one, [other, ...all.slice(0, 5)]);
    await send(one, group.id, 'to everybody');
    await hand.app.database.run('delete from outbox');
    hand.pass(11 * minute);
    const round = createRecount(hand.deps);
    while ((await round()) > 0);
    const { rows } = await hand.sql.query<{ user_id: UserId }>(
      `select user_id from differences where kind = 'not_armed'`,
    );
    assert.ok(rows.some(({ user_id }) => user_id === other.id));
  }).timeout(60_000);
});
