import assert from 'node:assert/strict';
import type { Message } from '../../contracts/entities/index.ts';
import { limits as serverLimits } from '../../contracts/limits.ts';
import { type Client, type ClientStorage, type HomingError, createClient, memoryStorage } from '../../sdk/index.ts';
import { type Surroundings, surroundings } from '../../sdk/surroundings.ts';
import { type Person, makeGroup, password, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, clientsOfEachTest, eager, heard, holds, movableClock, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';
import { within } from '../support/within.ts';

/** Input of the requests that send. */
interface SendInput {
  conversationId: string;
  message: { clientId: string; text: string };
}

describe('sending by the client', () => {
  let app: TestApp;
  let people: { ana: Person; bob: Person };
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
    });
  });
  beforeEach(async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    people = { ana, bob };
  });
  after(() => app.stop());

  const stored = async (id: string): Promise<Message[]> => {
    const answer = await people.bob.call<{ items: Message[] }>('GET', `/v1/conversations/${id}/messages?limit=200`);
    return expectStatus(answer, 200).items;
  };
  const texts = (messages: readonly Message[]) => messages.map(({ text }) => text);
  const online = async (person: Person, options: Parameters<typeof clientOf>[2] = {}) => {
    const client = await clientOf(app, person, { limits: eager, ...options });
    clients.push(client);
    return client;
  };
  const signedIn = async (person: Person, options: Parameters<typeof clientOf>[2] = {}) => {
    const client = createClient({ url: app.url, limits: eager, ...options });
    clients.push(client);
    await client.signIn({ identifier: person.email, password });
    return client;
  };
  const keptMessages = async (storage: ClientStorage) => (await storage.entries('outbox/')).length;
  const open = (tap: Tap) => ({ open: tapped(tap) });

  it('when a message is written, then it is shown at once, then stored in its place, and told to the others', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const [ana, bob] = [await online(people.ana), await online(people.bob)];
    const heardByBob = heard(bob, 'message');
    const sending = ana.send(group.id, { text: 'hello' });
    const before = ana.conversation(group.id);
    assert.deepEqual(
      before?.outgoing.map(({ state, clientId, content }) => [state, clientId, content.text]),
      [['pending', sending.clientId, 'hello']],
    );
    assert.equal(before?.messages.length, 0);
    const message = await sending.stored;
    const after = ana.conversation(group.id);
    assert.deepEqual(after?.outgoing, []);
    assert.deepEqual(
      after?.messages.map(({ id }) => id),
      [message.id],
    );
    assert.deepEqual([message.clientId, message.seq, message.senderId], [sending.clientId, 1, people.ana.id]);
    assert.equal(sending.outgoing.state, 'sent');
    assert.equal((await heardByBob).message.id, message.id);
  });

  it('when a reply comes before the acknowledgement of what it replies to, then the thread stays shown', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const overtaken = Promise.withResolvers<void>();
    const ana = await online(people.ana, {
      surroundings: open({
        ask: async (name, _input, go) => {
          const answer = await go();
          if (name === 'message.send') await overtaken.promise;
          return answer;
        },
      }),
    });
    const root = await ana.send(group.id, { text: 'first' }).stored;
    const replies = () => ana.conversation(group.id)?.messages[0]?.thread?.replyCount;
    await send(people.bob, group.id, 'a reply', { threadId: root.id });
    await holds(ana, () => replies() === 1);
    const acknowledged = heard(ana, 'conversation');
    overtaken.resolve();
    await acknowledged;
    assert.equal(replies(), 1);
  });

  it('when the repeat of what was stored is refused, then the message is shown once, as soon as the log tells of it', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const held: (() => void)[] = [];
    const ana = await online(people.ana, {
      surroundings: open({
        // As after a removal between an unanswered try and its repeat.
        ask: async (name, _input, go) => {
          const answer = await go();
          return name === 'message.send' ? { ok: false, error: { code: 'not_found', message: '' } } : answer;
        },
        hear: (name, payload, pass) =>
          name === 'event' ? void held.push(() => pass(name, payload)) : pass(name, payload),
      }),
    });
    const sending = ana.send(group.id, { text: 'stored' });
    await assert.rejects(sending.stored, { code: 'not_found' });
    assert.equal(ana.conversation(group.id)?.outgoing[0]?.state, 'failed');
    const sent = heard(ana, 'outgoing', ({ state }) => state === 'sent');
    for (const pass of held) pass();
    assert.equal((await sent).message?.clientId, sending.clientId);
    assert.deepEqual(ana.conversation(group.id)?.outgoing, []);
    assert.deepEqual(texts(ana.conversation(group.id)?.messages ?? []), ['stored']);
  });

  it('when the live event comes before the acknowledgement, then the event is the answer', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const never = new Promise<never>(() => undefined);
    const ask: Tap['ask'] = async (name, _input, go) => {
      const answer = await go();
      return name === 'message.send' ? never : answer;
    };
    const ana = await online(people.ana, { surroundings: open({ ask }) });
    const message = await ana.send(group.id, { text: 'hello' }).stored;
    assert.deepEqual([message.text, ana.conversation(group.id)?.outgoing], ['hello', []]);
  });

  it('when the acknowledgement comes and no live event, then the message stands all the same, and once', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    let deaf = true;
    const hear: Tap['hear'] = (name, payload, pass) => {
      if (name !== 'event' || !deaf) pass(name, payload);
    };
    const ana = await online(people.ana, { surroundings: open({ hear }) });
    await ana.send(group.id, { text: 'one' }).stored;
    assert.deepEqual(texts(ana.conversation(group.id)?.messages ?? []), ['one']);
    assert.equal(ana.conversation(group.id)?.version, 1, 'the log has not brought it');
    deaf = false;
    await ana.send(group.id, { text: 'two' }).stored;
    await holds(ana, () => ana.conversation(group.id)?.version === 3);
    assert.deepEqual(texts(ana.conversation(group.id)?.messages ?? []), ['one', 'two']);
  });

  it('when messages are written offline, then they are sent in order after a restart with the same storage', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const other = await makeGroup(people.ana, [people.bob], 'Other');
    const storage = memoryStorage();
    const offline = await signedIn(people.ana, { storage });
    const written = Array.from({ length: 12 }, (_, n) =>
      offline.send(n % 4 === 3 ? other.id : group.id, { text: `${n}` }),
    );
    await offline.stop();
    assert.equal(await keptMessages(storage), 12);

    const later = createClient({ url: app.url, storage, limits: eager });
    clients.push(later);
    await later.resume();
    assert.deepEqual(
      [...(await stored(group.id)), ...(await stored(other.id))],
      [],
      'nothing is sent without a connection',
    );
    const last = heard(later, 'outgoing', ({ content, state }) => state === 'sent' && content.text === '10');
    await later.start();
    await last;
    await holds(later, () => later.conversations.every(({ outgoing }) => outgoing.length === 0));
    const sent = await stored(group.id);
    assert.deepEqual(texts(sent), ['0', '1', '2', '4', '5', '6', '8', '9', '10']);
    assert.deepEqual(texts(await stored(other.id)), ['3', '7', '11']);
    assert.deepEqual(
      sent.map(({ clientId }) => clientId),
      written.filter((_, n) => n % 4 !== 3).map(({ clientId }) => clientId),
    );
    await later.stop();
    assert.equal(await keptMessages(storage), 0);
  });

  it('when several processes wrote in turns on one storage, then a later one sends in the order of writing', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const storage = memoryStorage();
    const first = await online(people.ana, { storage });
    for (const text of ['one', 'two', 'three']) await first.send(group.id, { text }).stored;
    await first.stop();
    first.send(group.id, { text: 'four' });
    await first.stop();
    const clock = movableClock();
    clock.move(1_000);
    const second = createClient({ url: app.url, storage, limits: eager, surroundings: clock });
    await second.resume();
    second.send(group.id, { text: 'five' });
    await second.stop();
    const third = createClient({ url: app.url, storage, limits: eager });
    clients.push(third);
    await third.resume();
    await third.start();
    await holds(third, () => third.conversations.every(({ outgoing }) => outgoing.length === 0));
    assert.deepEqual(texts(await stored(group.id)), ['one', 'two', 'three', 'four', 'five']);
  });

  it('when many are written at once, then each is asked for once, one at a time in a conversation', async () => {
    const [group, other] = [
      await makeGroup(people.ana, [people.bob]),
      await makeGroup(people.ana, [people.bob], 'Other'),
    ];
    const under = new Map<string, number>();
    const asked: string[] = [];
    let most = 0;
    const ask: Tap['ask'] = async (name, input, go) => {
      if (name !== 'message.send') return go();
      const { conversationId, message } = input as SendInput;
      const running = (under.get(conversationId) ?? 0) + 1;
      under.set(conversationId, running);
      most = Math.max(most, running);
      asked.push(message.text);
      const answer = await go();
      under.set(conversationId, (under.get(conversationId) ?? 0) - 1);
      return answer;
    };
    const ana = await online(people.ana, { surroundings: open({ ask }) });
    const written = Array.from({ length: 20 }, (_, n) => ana.send(n % 2 ? group.id : other.id, { text: `${n}` }));
    await Promise.all(written.map(({ stored: message }) => message));
    assert.deepEqual([most, asked.length, new Set(asked).size], [1, 20, 20]);
  });

  it('when the next one is written at whatever moment after an answer, then it is not left lying', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const hear: Tap['hear'] = (name, payload, pass) => {
      if (name !== 'event') pass(name, payload);
    };
    const ana = await online(people.ana, { surroundings: open({ hear }) });
    for (let steps = 0; steps < 15; steps += 1) {
      await ana.send(group.id, { text: 'first' }).stored;
      for (let step = 0; step < steps; step += 1) await Promise.resolve();
      await ana.send(group.id, { text: 'next' }).stored;
    }
    assert.equal((await stored(group.id)).length, 30);
  });

  it('when answers are lost, then the same message is sent again, in order, and stored once', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const tries = new Map<string, number>();
    const unknown = { ok: false, error: { code: 'outcome_unknown', message: '', retryAfterMs: 5 } };
    let close: () => void = () => undefined;
    const tap: Tap = {
      opened: (_auth, end) => {
        close = end;
      },
      // Without live events nothing but the answer tells that it is stored.
      hear: (name, payload, pass) => {
        if (name !== 'event') pass(name, payload);
      },
      ask: async (name, input, go) => {
        if (name !== 'message.send') return go();
        const { text } = (input as SendInput).message;
        const count = (tries.get(text) ?? 0) + 1;
        tries.set(text, count);
        const answer = await go();
        if (text === 'one' && count === 1) throw new Error('no answer in time');
        if (text === 'one' && count === 2) return unknown;
        if (text === 'two' && count === 1) close();
        return answer;
      },
    };
    const ana = await online(people.ana, { surroundings: open(tap) });
    const written = ['one', 'two', 'three'].map((text) => ana.send(group.id, { text }));
    await Promise.all(written.map(({ stored: message }) => message));
    assert.deepEqual(texts(await stored(group.id)), ['one', 'two', 'three']);
    assert.equal(tries.get('one'), 3);
  });

  it('when the process dies between the sending and the answer, then the next one learns that it was stored', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const storage = memoryStorage();
    const sent = Promise.withResolvers<void>();
    const tap: Tap = {
      hear: (name, payload, pass) => {
        if (name !== 'event') pass(name, payload);
      },
      ask: async (name, _input, go) => {
        const answer = await go();
        if (name !== 'message.send') return answer;
        sent.resolve();
        return new Promise<never>(() => undefined);
      },
    };
    const dying = await online(people.ana, { storage, surroundings: open(tap) });
    dying.send(group.id, { text: 'once' });
    await sent.promise;
    assert.equal(await keptMessages(storage), 1);
    await dying.stop();

    const next = createClient({ url: app.url, storage, limits: eager });
    clients.push(next);
    await next.resume();
    const known = heard(next, 'outgoing', ({ state }) => state === 'sent');
    await next.start();
    assert.equal((await known).message?.text, 'once');
    await next.stop();
    assert.deepEqual([texts(await stored(group.id)), await keptMessages(storage)], [['once'], 0]);
  });

  describe('when a message is refused', () => {
    it('then it says why, does not hold up those behind it, and can be thrown away', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const storage = memoryStorage();
      const ana = await online(people.ana, { storage });
      const faulty = ana.send(group.id, { text: '   ' });
      const fine = ana.send(group.id, { text: 'fine' });
      await assert.rejects(faulty.stored, ({ code, errors }: HomingError) => {
        assert.deepEqual([code, errors?.[0]?.path], ['invalid_input', 'message.text']);
        return true;
      });
      assert.equal((await fine.stored).text, 'fine');
      const [failed, ...more] = ana.conversation(group.id)?.outgoing ?? [];
      assert.deepEqual([failed?.state, failed?.error?.code, more.length], ['failed', 'invalid_input', 0]);
      ana.discard(faulty.clientId);
      assert.deepEqual(ana.conversation(group.id)?.outgoing, []);
      await ana.stop();
      assert.equal(await keptMessages(storage), 0, 'a restart does not try it again');
    });

    it('then one that no frame could hold is refused here, costs no connection, and what lies behind it goes on', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const ana = await online(people.ana);
      const states: string[] = [];
      ana.on('connection', ({ state }) => void states.push(state));
      const tooLong = ana.send(group.id, { text: 'x'.repeat(140_000) });
      const tooMuch = ana.send(group.id, { text: 'x', mentions: everyone(5_000) });
      const { id } = await within('what lies behind them is sent', ana.send(group.id, { text: 'behind' }).stored);
      const faultsOf = (refused: Promise<unknown>) =>
        refused.then(
          () => 'stored',
          ({ code, errors }: HomingError) => [code, errors?.[0]?.path, errors?.[0]?.code],
        );
      assert.deepEqual(await faultsOf(tooLong.stored), ['invalid_input', 'message.text', 'too_big']);
      assert.deepEqual(await faultsOf(tooMuch.stored), ['invalid_input', 'message', 'too_big']);
      const edit = ana.edit(group.id, id, { text: 'x'.repeat(140_000) });
      assert.deepEqual(await faultsOf(edit), ['invalid_input', 'edit.text', 'too_big']);
      assert.deepEqual([states, texts(await stored(group.id))], [[], ['behind']]);
    });

    it('then its length is counted as the server counts it, in code points', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const asked: number[] = [];
      const ask: Tap['ask'] = (name, input, go) => {
        if (name === 'message.send') asked.push(Array.from((input as SendInput).message.text).length);
        return go();
      };
      const ana = await online(people.ana, { surroundings: open({ ask }) });
      const one = '😀'.repeat(serverLimits.messageTextLength);
      await assert.rejects(ana.send(group.id, { text: `${one}😀` }).stored, { code: 'invalid_input' });
      await ana.send(group.id, { text: one }).stored;
      assert.deepEqual(asked, [serverLimits.messageTextLength]);
    });

    it('then one that an earlier process has left, too long for any frame, is refused as well', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const storage = memoryStorage();
      const before = await signedIn(people.ana, { storage });
      const { clientId } = before.send(group.id, { text: 'to be too long' });
      before.send(group.id, { text: 'behind it' });
      await before.stop();
      const [[key, kept] = ['', {}]] = (await storage.entries('outbox/')) as [string, SendInput][];
      await storage.set(key, { ...kept, message: { clientId, text: 'x'.repeat(140_000) } });

      const later = createClient({ url: app.url, storage, limits: eager });
      clients.push(later);
      await later.resume();
      const failed = heard(later, 'outgoing', ({ state }) => state === 'failed');
      const sent = heard(later, 'outgoing', ({ state }) => state === 'sent');
      await later.start();
      const [refused, behind] = await Promise.all([failed, sent]);
      assert.deepEqual([refused.clientId, refused.error?.code], [clientId, 'invalid_input']);
      assert.equal(behind.content.text, 'behind it');
      await later.stop();
      assert.equal(await keptMessages(storage), 0);
    });

    it('then it can be tried again under its own id, when the reason is gone', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const bob = await online(people.bob);
      const role = (name: string) =>
        people.ana.call('PATCH', `/v1/conversations/${group.id}/members/${people.bob.id}`, { role: name });
      await role('read_only');
      const refused = bob.send(group.id, { text: 'may I?' });
      await assert.rejects(refused.stored, (error: HomingError) => error.code === 'forbidden');
      await role('member');
      const again = bob.retry(refused.clientId);
      assert.equal((await again?.stored)?.clientId, refused.clientId);
      assert.deepEqual(bob.conversation(group.id)?.outgoing, []);
    });

    it('then nobody who did not wait for the answer is troubled by it', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const ana = await online(people.ana);
      const troubled: unknown[] = [];
      const note = (reason: unknown) => void troubled.push(reason);
      process.on('unhandledRejection', note);
      const failed = heard(ana, 'outgoing', ({ state }) => state === 'failed');
      ana.send(group.id, { text: '' });
      assert.equal((await failed).error?.code, 'invalid_input');
      await new Promise((resolve) => setTimeout(resolve));
      process.off('unhandledRejection', note);
      assert.deepEqual(troubled, []);
    });
  });

  it('when the server is busy, then the message waits as long as it is told to, and stays pending with the reason', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const waits: number[] = [];
    let busy = true;
    const tap: Tap = {
      ask: (name, _input, go) => {
        if (name !== 'message.send' || !busy) return go();
        busy = false;
        return Promise.resolve({ ok: false, error: { code: 'rate_limited', message: '', retryAfterMs: 123 } });
      },
    };
    // None is cut short: by the same clock an answer is given up.
    const wait: Surroundings['wait'] = (ms, signal) => {
      waits.push(ms);
      return surroundings.wait(ms, signal);
    };
    const ana = await online(people.ana, { surroundings: { ...open(tap), wait } });
    const seen: (string | undefined)[][] = [];
    ana.on('outgoing', ({ state, error }) => void seen.push([state, error?.code]));
    await ana.send(group.id, { text: 'patience' }).stored;
    assert.deepEqual(seen, [
      ['pending', undefined],
      ['pending', 'rate_limited'],
      ['sent', undefined],
    ]);
    assert.ok(waits.includes(123));
  });

  it('when the server limits a message, then its conversation waits, in order, and no other; thrown away, it holds up nobody', async () => {
    const [group, other] = [
      await makeGroup(people.ana, [people.bob]),
      await makeGroup(people.ana, [people.bob], 'Other'),
    ];
    const asked: string[] = [];
    const busy = { ok: false, error: { code: 'rate_limited', message: '', retryAfterMs: 3_600_000 } };
    const ask: Tap['ask'] = (name, input, go) => {
      if (name !== 'message.send') return go();
      const { text } = (input as SendInput).message;
      asked.push(text);
      return text === 'one too many' ? Promise.resolve(busy) : go();
    };
    const ana = await online(people.ana, { surroundings: open({ ask }) });
    const limited = heard(ana, 'outgoing', ({ error }) => error?.code === 'rate_limited');
    const tooMany = ana.send(group.id, { text: 'one too many' });
    const behind = ana.send(group.id, { text: 'behind it' });
    const { state, error } = await limited;
    assert.deepEqual([state, error?.retryAfterMs], ['pending', 3_600_000]);
    await Promise.all(['elsewhere', 'and again'].map((text) => ana.send(other.id, { text }).stored));
    assert.deepEqual(
      ana.conversation(group.id)?.outgoing.map(({ content }) => content.text),
      ['one too many', 'behind it'],
    );
    assert.deepEqual(asked, ['one too many', 'elsewhere', 'and again']);
    ana.discard(tooMany.clientId);
    await within('what lies behind it is sent', behind.stored);
    assert.deepEqual(texts(await stored(group.id)), ['behind it']);
  });

  it('when no urgent message is left for the day, then one more is refused for good, and what lies behind it goes on', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const ana = await online(people.ana);
    const urgent = (text: string) => ana.send(group.id, { text, priority: 'urgent' });
    const allowed = Array.from({ length: serverLimits.urgentPerRecipient }, (_, n) => urgent(`urgent ${n}`));
    await Promise.all(allowed.map(({ stored: message }) => message));
    const tooMany = urgent('one too many');
    const behind = ana.send(group.id, { text: 'behind it' });
    await assert.rejects(tooMany.stored, (error: HomingError) => {
      assert.equal(error.code, 'urgent_limit');
      return (error.retryAfterMs ?? 0) > 3_000_000;
    });
    await behind.stored;
    assert.deepEqual([tooMany.outgoing.state, tooMany.outgoing.error?.code], ['failed', 'urgent_limit']);
    assert.deepEqual(texts(await stored(group.id)).slice(-2), ['urgent 2', 'behind it']);
    // A day later the person may press the button.
    await app.database.run(`delete from urgent_sends where user_id = '${people.ana.id}'`);
    await ana.retry(tooMany.clientId)?.stored;
    assert.deepEqual(texts(await stored(group.id)).slice(-2), ['behind it', 'one too many']);
  });

  it('when the session has ended and the same person signs in again, then what they have written goes on its way', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    let busy = true;
    const ask: Tap['ask'] = (name, _input, go) =>
      busy && name === 'message.send'
        ? Promise.resolve({ ok: false, error: { code: 'unavailable', message: '' } })
        : go();
    const ana = await online(people.ana, { surroundings: open({ ask }) });
    const written = ana.send(group.id, { text: 'in the last moment' });
    const ended = heard(ana, 'session', ({ state }) => state === 'ended');
    await people.ana.call('DELETE', '/v1/sessions');
    await ended;
    busy = false;
    await ana.signIn({ identifier: people.ana.email, password });
    await ana.start();
    assert.equal((await written.stored).text, 'in the last moment');
    assert.deepEqual(texts(await stored(group.id)), ['in the last moment']);
  });

  it('when somebody else signs in on the same storage, then what the first has written is not sent as theirs', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const storage = memoryStorage();
    const client = await signedIn(people.ana, { storage });
    client.send(group.id, { text: 'by Ana' });
    await client.stop();
    await client.signIn({ identifier: people.bob.email, password });
    await client.start();
    await client.send(group.id, { text: 'by Bob' }).stored;
    await client.stop();
    await client.signIn({ identifier: people.ana.email, password });
    const sent = heard(client, 'outgoing', ({ state }) => state === 'sent');
    await client.start();
    await sent;
    assert.deepEqual(
      (await stored(group.id)).map(({ text, senderId }) => [text, senderId]),
      [
        ['by Bob', people.bob.id],
        ['by Ana', people.ana.id],
      ],
    );
  });

  it('when a message was thrown away in one tab, then another one, which has it too, does not send it', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const storage = memoryStorage();
    const one = await signedIn(people.ana, { storage });
    const [, thrownAway] = ['kept', 'thrown away'].map((text) => one.send(group.id, { text }));
    await one.stop();
    const other = createClient({ url: app.url, limits: eager, storage });
    clients.push(other);
    await other.resume();
    one.discard(thrownAway?.clientId ?? '');
    await one.stop();
    const told = heard(other, 'outgoing', ({ state }) => state === 'failed');
    await other.start();
    assert.equal((await told).error?.code, 'settled_elsewhere');
    await other.send(group.id, { text: 'behind it' }).stored;
    assert.deepEqual(texts(await stored(group.id)), ['kept', 'behind it']);
    assert.deepEqual(
      other.conversation(group.id)?.outgoing.map(({ content }) => content.text),
      ['thrown away'],
      'it is shown until it is thrown away here as well, for it may have been sent',
    );
  });

  describe('when one tab has sent what another one has too, so long ago that its newest messages do not show it', () => {
    /** The other tab, at the moment before its connect, and the message. */
    const sentByOne = async (keptConversations: number) => {
      const limits = { ...eager, keptConversations };
      const group = await makeGroup(people.ana, [people.bob]);
      const storage = memoryStorage();
      const one = await online(people.ana, { storage, limits });
      await one.stop();
      const { clientId, stored: sent } = one.send(group.id, { text: 'from one' });
      await one.stop();
      // By its clock what is kept is so old that it is asked for whole.
      const inAMonth = { now: () => Date.now() + 30 * 86_400_000 };
      const other = createClient({ url: app.url, storage, limits, surroundings: inAMonth });
      clients.push(other);
      await other.resume();
      await one.start();
      await sent;
      await one.stop();
      for (let n = 0; n < 60; n += 1) await send(people.bob, group.id, `${n}`);
      return { group, other, clientId };
    };

    it('then that one says that it was settled elsewhere, and a further try finds it stored', async () => {
      const { group, other, clientId } = await sentByOne(0);
      const told = heard(other, 'outgoing', ({ state }) => state === 'failed');
      await other.start();
      assert.equal((await told).error?.code, 'settled_elsewhere');
      assert.equal((await other.retry(clientId)?.stored)?.clientId, clientId);
      assert.equal((await stored(group.id)).filter(({ text }) => text === 'from one').length, 1);
    });

    it('then it is known as sent once what was passed over is told', async () => {
      const { group, other } = await sentByOne(10);
      const told = heard(other, 'outgoing', ({ state }) => state === 'sent');
      await other.start();
      assert.equal((await told).message?.text, 'from one');
      assert.deepEqual(other.conversation(group.id)?.outgoing, []);
    });
  });

  it('when its writer has signed out, or somebody else has signed in, then nobody waits for the message any longer', async () => {
    const group = await makeGroup(people.ana, [people.bob]);
    const leave = [
      (client: Client) => client.signOut(),
      (client: Client) => client.signIn({ identifier: people.bob.email, password }),
    ];
    for (const leaves of leave) {
      const client = await signedIn(people.ana);
      const refused = assert.rejects(client.send(group.id, { text: 'never sent' }).stored, { code: 'signed_out' });
      await leaves(client);
      await within('the refusal', refused);
    }
  });

  describe('limits', () => {
    it('when the queue is full, then a further message is refused at once and the others stay', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const ana = await signedIn(people.ana, { limits: { ...eager, queuedMessages: 3 } });
      const written = [1, 2, 3].map((n) => ana.send(group.id, { text: `${n}` }));
      assert.throws(
        () => ana.send(group.id, { text: '4' }),
        (error: HomingError) => error.code === 'queue_full',
      );
      ana.discard(written[1]?.clientId ?? '');
      ana.send(group.id, { text: '5' });
      await ana.start();
      await heard(ana, 'outgoing', ({ state, content }) => state === 'sent' && content.text === '5');
      assert.deepEqual(texts(await stored(group.id)), ['1', '3', '5']);
    });

    it('when more were refused than are kept, then the oldest are forgotten', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const ana = await online(people.ana, { limits: { ...eager, failedMessages: 2 } });
      const written = [1, 2, 3].map(() => ana.send(group.id, { text: '' }));
      await assert.rejects(written[2]?.stored ?? Promise.resolve());
      const left = ana.conversation(group.id)?.outgoing.map(({ clientId }) => clientId);
      assert.deepEqual(left, [written[1]?.clientId, written[2]?.clientId]);
    });

    it('when the storage fails, then the message is not sent, and its writer is told', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const storage = memoryStorage();
      const failing: ClientStorage = {
        ...storage,
        set: (key, value) => (key.startsWith('outbox') ? Promise.reject(new Error('full')) : storage.set(key, value)),
      };
      for (const start of [online, signedIn]) {
        const ana = await start(people.ana, { storage: failing });
        const lost = ana.send(group.id, { text: 'nowhere to keep it' });
        await assert.rejects(lost.stored, (error: HomingError) => error.code === 'storage_failed');
      }
      assert.deepEqual(await stored(group.id), []);
    });

    it('when the storage does not answer, then stopping does not wait for it for long', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const storage = memoryStorage();
      const never = new Promise<never>(() => undefined);
      const set: ClientStorage['set'] = (key, value) => (key.startsWith('outbox') ? never : storage.set(key, value));
      const ana = await signedIn(people.ana, { storage: { ...storage, set }, limits: { ...eager, farewellMs: 20 } });
      ana.send(group.id, { text: 'never kept' });
      await within('the stop', ana.stop());
    });

    it('when the storage is slow, then the message is not sent before it is kept', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const storage = memoryStorage();
      const log: string[] = [];
      const slow: ClientStorage = {
        ...storage,
        set: async (key, value) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          await storage.set(key, value);
          if (key.startsWith('outbox')) log.push('kept');
        },
      };
      const ask: Tap['ask'] = (name, _input, go) => {
        if (name === 'message.send') log.push('sent');
        return go();
      };
      const ana = await online(people.ana, { storage: slow, surroundings: open({ ask }) });
      await ana.send(group.id, { text: 'first things first' }).stored;
      assert.deepEqual(log, ['kept', 'sent']);
      await ana.stop();
      ana.send(group.id, { text: 'and then the process ends' });
      await ana.stop();
      assert.equal(await keptMessages(storage), 1, 'stopping waits until it is kept');
    });

    it('when a conversation has more messages than are kept, then the oldest give way and come again by paging', async () => {
      const group = await makeGroup(people.ana, [people.bob]);
      const ana = await online(people.ana, { limits: { ...eager, messagesPerConversation: 5 } });
      for (let n = 1; n <= 8; n += 1) await ana.send(group.id, { text: `${n}` }).stored;
      await holds(ana, () => ana.conversation(group.id)?.version === 9);
      assert.deepEqual(texts(ana.conversation(group.id)?.messages ?? []), ['4', '5', '6', '7', '8']);
      assert.deepEqual(texts(await ana.history(group.id, { before: 4 })), ['1', '2', '3']);
    });
  });
});

const everyone = (times: number) =>
  Array.from({ length: times }, () => ({ type: 'everyone' as const, offset: 0, length: 1 }));
