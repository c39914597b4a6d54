import assert from 'node:assert/strict';
import { syncBudget } from '../../domain/sync/sync.ts';
import { type Client, type ClientOptions, type ClientStorage, createClient, memoryStorage } from '../../sdk/index.ts';
import { type Person, makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, clientsOfEachTest, eager, heard, holds, tapped } from '../support/client.ts';
import { urlOf } from '../support/url-of.ts';

/** One more than a sync tells one by one, and enough that the newest fifty leave a hole. */
const many = syncBudget.maxEvents + 30;

describe('the messages that a whole new state has passed over', () => {
  let app: TestApp;
  let people: { ana: Person; bob: Person };
  let group: { id: string };
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  beforeEach(async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    people = { ana, bob };
    group = await makeGroup(ana, [bob]);
    await send(ana, group.id, 'before');
  });
  after(() => app.stop());

  type Fetch = typeof fetch;
  const isPage = (input: Parameters<Fetch>[0]) => urlOf(input).includes('/messages?');
  /** What stands between the client and the pages of the history, which are short here. */
  const paged = (page: (go: () => Promise<Response>) => Promise<Response>): Fetch => {
    return (input, init) => {
      const go = () => fetch(urlOf(input).replace('limit=200', 'limit=40'), init);
      return isPage(input) ? page(go) : go();
    };
  };
  const options = (given: Partial<ClientOptions>, tap: Tap = {}, page = (go: () => Promise<Response>) => go()) => ({
    ...given,
    limits: { ...eager, acknowledgeMs: 0, ...given.limits },
    surroundings: { open: tapped(tap), fetch: paged(page) },
  });
  const told = (client: Client) => {
    const seqs: number[] = [];
    client.on('message', ({ message }) => void seqs.push(message.seq));
    return seqs;
  };
  const written = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => send(people.ana, group.id, `${n}`)));
  const upTo = (last: number, first = 2) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
  const deliveredSeq = (client: Client) => client.conversation(group.id)?.me.deliveredSeq;
  const acknowledged = (client: Client, seq: number) => holds(client, () => deliveredSeq(client) === seq);
  /** Bob's client, which has heard the first message and is away while many are written. */
  const away = async (...given: Parameters<typeof options>) => {
    const client = await clientOf(app, people.bob, options(...given));
    clients.push(client);
    await acknowledged(client, 1);
    await client.stop();
    await written(many);
    return client;
  };

  it('are told in order, once, and before what comes live meanwhile; acknowledged is only what was told', async () => {
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const acknowledgedAt: [seq: number, told: number][] = [];
    const ask: Tap['ask'] = (name, input, go) => {
      const { receipt } = input as { receipt: { deliveredSeq?: number } };
      if (name === 'receipt.update') acknowledgedAt.push([receipt.deliveredSeq ?? 0, seqs.at(-1) ?? 1]);
      return go();
    };
    let seqs: number[] = [];
    const client = await away({}, { ask }, async (go) => {
      asked.resolve();
      await answer.promise;
      return go();
    });
    seqs = told(client);
    await client.start();
    await asked.promise;
    const live = heard(client, 'change');
    await send(people.ana, group.id, 'live');
    await live;
    assert.deepEqual(seqs, []);
    answer.resolve();
    await acknowledged(client, many + 2);
    assert.deepEqual(seqs, upTo(many + 2));
    assert.ok(acknowledgedAt.every(([seq, last]) => seq <= last));
  });

  it('go on from the last page that was told, when the connection is lost between two', async () => {
    let close = () => undefined as void;
    let pages = 0;
    const opened: Tap['opened'] = (_auth, end) => {
      close = end;
    };
    const client = await away({}, { opened }, (go) => {
      pages += 1;
      if (pages !== 2) return go();
      close();
      return Promise.reject(new Error('the network is gone'));
    });
    const seqs = told(client);
    await client.start();
    await acknowledged(client, many + 1);
    assert.deepEqual(seqs, upTo(many + 1));
    assert.equal(pages, 3);
  });

  describe('when a process has ended between two pages', () => {
    /** Bob's client, stopped while its second page is on its way, and what it and the next one have told. */
    const twoProcesses = async (ask: Tap['ask'] = (_name, _input, go) => go(), farewellMs = 5_000) => {
      const storage: ClientStorage = memoryStorage();
      const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let pages = 0;
      const given = { storage, limits: { farewellMs } };
      const client = await away(
        given,
        { ask: (...request) => (pages === 0 ? request[2]() : ask(...request)) },
        (go) => {
          pages += 1;
          if (pages === 2) asked.resolve();
          return pages === 2 ? answer.promise.then(go) : go();
        },
      );
      const first = told(client);
      await client.start();
      await asked.promise;
      await client.stop();
      answer.resolve();
      const next = createClient({ url: app.url, ...options({ storage }) });
      clients.push(next);
      const second = told(next);
      await next.resume();
      await next.start();
      await acknowledged(next, many + 1);
      return [first, second];
    };

    it('then the next one goes on', async () => {
      assert.deepEqual(await twoProcesses(), [upTo(41), upTo(many + 1, 42)]);
    });

    it('and what it told was not acknowledged, then the next one tells it again', async () => {
      const never = new Promise<never>(() => undefined);
      const told = await twoProcesses((name, _input, go) => (name === 'receipt.update' ? never : go()), 20);
      assert.deepEqual(told, [upTo(41), upTo(many + 1)]);
    });
  });

  it('are told from the latest back to a limit, and the event says which are not', async () => {
    const client = await away({ limits: { missedMessages: 20 } });
    const [seqs, missed] = [told(client), heard(client, 'missed')];
    await client.start();
    await acknowledged(client, many + 1);
    const newest = many + 1 - 50;
    assert.deepEqual(await missed, { conversationId: group.id, fromSeq: 2, toSeq: newest - 20 });
    assert.deepEqual(seqs, upTo(many + 1, newest - 19));
  });
});
