import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import fc from 'fast-check';
import type { Conversation, ConversationEvent, Message, SyncResponse } from '../../contracts/entities/index.ts';
import { type Person, makeGroup, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { until } from '../support/until.ts';
import { SyncClient } from './client.ts';

/** One thing that somebody does; which message or person it is done to is chosen by a number. */
interface Step {
  by: number;
  what:
    | 'send'
    | 'reply'
    | 'edit'
    | 'delete'
    | 'react'
    | 'unreact'
    | 'pin'
    | 'unpin'
    | 'remove'
    | 'add'
    | 'role'
    | 'title';
  pick: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  by: fc.nat(2),
  what: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('send' as const, 'reply' as const) },
    { weight: 8, arbitrary: fc.constantFrom('edit' as const, 'delete' as const, 'react' as const, 'unreact' as const) },
    { weight: 3, arbitrary: fc.constantFrom('pin' as const, 'unpin' as const, 'role' as const, 'title' as const) },
    { weight: 2, arbitrary: fc.constantFrom('remove' as const, 'add' as const) },
  ),
  pick: fc.nat(1_000),
});
const emojis = ['👍', '🎉', '❤️', '👀'];

describe('the proof, over everything that can happen to a conversation', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
    });
  });
  after(() => app.stop());

  const sync = async (person: Person, client: SyncClient) => {
    const answer = await person.call<SyncResponse>('POST', '/v1/sync', { known: client.known });
    client.take(expectStatus(answer, 200));
    return client;
  };
  const fresh = (person: Person) => sync(person, new SyncClient(person.id));

  /** What a step may answer: it is done, or it makes no sense just now and is refused in words. */
  const done = new Set([200, 201, 204, 400, 403, 404, 409]);

  async function play(group: Conversation, people: readonly Person[], steps: readonly Step[]): Promise<void> {
    const sent: Message[] = [];
    const at = (rest: string) => `/v1/conversations/${group.id}${rest}`;
    for (const { by, what, pick } of steps) {
      const actor = people[by] as Person;
      const other = people[1 + (pick % 2)] as Person;
      const message = sent[pick % Math.max(1, sent.length)];
      const on = at(`/messages/${message?.id}`);
      const emoji = `${on}/reactions/${encodeURIComponent(emojis[pick % emojis.length] ?? '')}`;
      const write = { clientId: randomUUIDv7(), text: `words ${pick}` };
      const calls: Record<Step['what'], [string, string, unknown?]> = {
        send: ['POST', at('/messages'), write],
        reply: ['POST', at('/messages'), { ...write, ...(message ? { threadId: message.id } : {}) }],
        edit: ['PATCH', on, write],
        delete: ['DELETE', on],
        react: ['PUT', emoji],
        unreact: ['DELETE', emoji],
        pin: ['PUT', `${on}/pin`],
        unpin: ['DELETE', `${on}/pin`],
        remove: ['DELETE', at(`/members/${other.id}`)],
        add: ['POST', at('/members'), { userIds: [other.id] }],
        role: ['PATCH', at(`/members/${other.id}`), { role: pick % 3 === 0 ? 'read_only' : 'member' }],
        title: ['PATCH', at(''), { title: `title ${pick % 3}` }],
      };
      const [method, path, body] = calls[what];
      if (path.includes('undefined')) continue;
      const answer = await actor.call<{ message?: Message }>(method, path, body);
      assert.ok(done.has(answer.status), `${what} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      if (answer.status === 201 && answer.body.message) sent.push(answer.body.message);
    }
  }

  /** Drops, doubles and shuffles, by a seed that a failure prints. */
  const disturb = (events: readonly ConversationEvent[], seed: number): ConversationEvent[] => {
    const random = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { seed, numRuns: events.length * 3 + 1 });
    return events
      .filter((_, index) => (random[index] ?? 0) > 0.3)
      .flatMap((event, index) => ((random[events.length + index] ?? 0) > 0.7 ? [event, event] : [event]))
      .map((event, index) => ({ event, at: index + (random[2 * events.length + index] ?? 0) * 6 }))
      .sort((a, b) => a.at - b.at)
      .map(({ event }) => event);
  };

  for (const history of ['all', 'joining'] as const) {
    it(`old state and events make the fresh state, with the history open to newcomers: ${history}`, async () => {
      for (let program = 1; program <= 4; program += 1) {
        const steps =
          fc.sample(fc.array(step, { minLength: 45, maxLength: 45 }), { seed: program, numRuns: 1 })[0] ?? [];
        await prove(history, steps, `program ${program}`);
      }
    }).timeout(120_000);
  }

  async function prove(history: 'all' | 'joining', steps: readonly Step[], name: string): Promise<void> {
    const people = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const [ana, bob, cleo] = people;
    const sockets = await Promise.all(
      people.map((person, index) => connect(app.urls[index % 2] ?? '', { token: person.token, known: [] })),
    );
    const group = await makeGroup(ana, [bob, cleo]);
    expectStatus(await ana.call('PATCH', `/v1/conversations/${group.id}`, { history }), 200);
    await play(group, people, steps);
    // Something that all who are left hear last: whatever was told before has arrived by then.
    const { version } = expectStatus(await ana.call<Conversation>('GET', `/v1/conversations/${group.id}`), 200);
    await sockets[0]?.heard('event', (event) => event.version === version);
    for (const [index, person] of people.entries()) {
      const socket = sockets[index] as TestSocket;
      const expected = (await fresh(person)).everything;
      if (expected.size > 0) await heardAll(socket, version);
      await compare(person, socket, expected, name);
      socket.close();
    }
  }

  const heardAll = (socket: TestSocket, version: number) =>
    until(
      async () => Math.max(0, ...socket.told.event.map((event) => event.version)),
      (heard) => heard >= version,
    );

  async function compare(person: Person, socket: TestSocket, expected: SyncClient['everything'], name: string) {
    for (let seed = 1; seed <= 6; seed += 1) {
      const client = new SyncClient(person.id);
      const events = seed === 1 ? socket.told.event : disturb(socket.told.event, seed);
      for (const event of events.slice(0, events.length / 2)) client.hear(event);
      await sync(person, client);
      for (const event of events.slice(events.length / 2)) client.hear(event);
      await sync(person, client);
      assert.deepEqual(client.everything, expected, `${name}, ${person.name}, seed ${seed}`);
    }
  }
});
