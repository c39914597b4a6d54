import assert from 'node:assert/strict';
import { type Client, type ConnectionState, type HomingError, createClient } from '../../sdk/index.ts';
import { makeGroup, password, registerPeople, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Tap, clientOf, clientsOfEachTest, eager, heard, holds, movableClock, tapped } from '../support/client.ts';

describe('the connection of a client', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp({
      processes: [
        ['api', 'realtime'],
        ['api', 'realtime'],
      ],
    });
  });
  after(() => app.stop());

  const watched = (client: Client): ConnectionState[] => {
    clients.push(client);
    const states: ConnectionState[] = [];
    client.on('connection', (state) => void states.push(state));
    return states;
  };

  it('when its node is stopped and another is there, then it goes there, and nothing is lost', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const first = await app.start(['api', 'realtime']);
    let port = first.port;
    const notices: unknown[] = [];
    const tap: Tap = {
      url: () => `http://127.0.0.1:${port}`,
      hear: (name, payload, pass) => {
        if (name === 'notice') notices.push(payload);
        pass(name, payload);
      },
    };
    const client = await clientOf(app, bob, { limits: eager, surroundings: { open: tapped(tap) } });
    const states = watched(client);
    port = Number(new URL(app.urls[1] ?? '').port);
    const back = heard(client, 'connection', ({ state }) => state === 'online');
    const stopped = first.stop('another one takes over');
    for (let n = 0; n < 10; n += 1) await send(ana, group.id, `${n}`);
    const written = client.send(group.id, { text: 'while it moves' });
    await Promise.all([stopped, back]);
    await written.stored;
    await holds(client, () => client.conversation(group.id)?.version === 12);
    assert.equal(client.conversation(group.id)?.messages.length, 11);
    assert.deepEqual(notices, [{ kind: 'moving' }]);
    assert.deepEqual(states.map(({ state }) => state).slice(0, 3), ['waiting', 'connecting', 'online']);
  });

  it('when the server is away, then each wait lies within a bound that doubles up to the cap, and starts over once a connection has stood', async () => {
    const person = await registerPerson(app);
    let away = true;
    const clock = movableClock();
    let close: () => void = () => undefined;
    const tap: Tap = {
      url: () => (away ? 'http://127.0.0.1:1' : app.url),
      opened: (_auth, end) => {
        close = end;
      },
    };
    const client = createClient({
      url: app.url,
      limits: { backoffBaseMs: 10, backoffCapMs: 80 },
      surroundings: { ...clock, open: tapped(tap), random: () => 0.999 },
    });
    const states = watched(client);
    await client.signIn({ identifier: person.email, password });
    const enough = heard(client, 'connection', () => states.filter(({ state }) => state === 'waiting').length === 6);
    const started = client.start();
    await enough;
    away = false;
    await started;
    const waits = states.flatMap((state) => (state.state === 'waiting' ? [state.retryInMs] : []));
    assert.deepEqual(waits.slice(0, 6), [9, 19, 39, 79, 79, 79]);
    assert.ok(states.every((state) => state.state !== 'waiting' || state.why.code === 'network'));
    const waitAfter = async (stoodMs: number) => {
      clock.move(stoodMs);
      const waiting = heard(client, 'connection', ({ state }) => state === 'waiting');
      const back = heard(client, 'connection', ({ state }) => state === 'online');
      close();
      await back;
      const state = await waiting;
      return state.state === 'waiting' && state.retryInMs;
    };
    assert.equal(await waitAfter(4_000), 79, 'one that broke again at once was no success');
    assert.equal(await waitAfter(5_000), 9);
    assert.equal(await waitAfter(0), 19);
  });

  it('when the network is back, then it need not wait any longer', async () => {
    const person = await registerPerson(app);
    let away = true;
    const client = createClient({
      url: app.url,
      limits: { backoffBaseMs: 3_600_000, backoffCapMs: 3_600_000 },
      surroundings: { open: tapped({ url: () => (away ? 'http://127.0.0.1:1' : app.url) }) },
    });
    watched(client);
    await client.signIn({ identifier: person.email, password });
    const waiting = heard(client, 'connection', ({ state }) => state === 'waiting');
    const started = client.start();
    await waiting;
    away = false;
    client.reconnectNow();
    await started;
  });

  it('when there is a connection again, then what rests before a further try does not rest on', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    let close: () => void = () => undefined;
    let refused = false;
    const tap: Tap = {
      opened: (_auth, end) => {
        close = end;
      },
      ask: (name, _input, go) => {
        if (name !== 'message.send' || refused) return go();
        refused = true;
        return Promise.resolve({ ok: false, error: { code: 'unavailable', message: '' } });
      },
    };
    const limits = { backoffBaseMs: 3_600_000, backoffCapMs: 3_600_000 };
    const client = await clientOf(app, ana, { limits, surroundings: { open: tapped(tap) } });
    clients.push(client);
    const rests = heard(client, 'outgoing', ({ error }) => error?.code === 'unavailable');
    const written = client.send(group.id, { text: 'hello' });
    await rests;
    const waiting = heard(client, 'connection', ({ state }) => state === 'waiting');
    close();
    await waiting;
    client.reconnectNow();
    assert.equal((await written.stored).text, 'hello');
  });

  it('when the server refuses the token, then it is renewed and the next connect has the new one', async () => {
    const person = await registerPerson(app);
    const tokens: string[] = [];
    const real = tapped({});
    const client = createClient({
      url: app.url,
      limits: eager,
      surroundings: {
        open: (url, auth, listener) => {
          tokens.push(auth.token);
          return real(url, tokens.length === 1 ? { ...auth, token: 'worn out' } : auth, listener);
        },
      },
    });
    const states = watched(client);
    await client.signIn({ identifier: person.email, password });
    await client.start();
    const [refused] = states.filter((state) => state.state === 'waiting');
    assert.equal(refused?.state === 'waiting' && refused.why.code, 'unauthenticated');
    assert.equal(tokens.length, 2);
    assert.notEqual(tokens[0], tokens[1]);
  });

  it('when the hello does not come, then it gives up and begins anew', async () => {
    const person = await registerPerson(app);
    let connects = 0;
    const tap: Tap = {
      opened: () => void (connects += 1),
      hear: (name, payload, pass) => {
        if (name !== 'hello' || connects > 1) pass(name, payload);
      },
    };
    const limits = { ...eager, answerMs: 300 };
    const client = await clientOf(app, person, { limits, surroundings: { open: tapped(tap) } });
    clients.push(client);
    assert.equal(connects, 2);
  });

  it('when the sync breaks off, then the client is not in step, and begins anew', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    for (let n = 0; n < 25; n += 1) await makeGroup(ana, [bob], `${n}`);
    let asked = 0;
    const tap: Tap = {
      ask: (name, _input, go) => {
        if (name === 'sync') asked += 1;
        return name === 'sync' && asked === 1
          ? Promise.resolve({ ok: false, error: { code: 'unavailable', message: '' } })
          : go();
      },
    };
    const client = createClient({ url: app.url, limits: eager, surroundings: { open: tapped(tap) } });
    const states = watched(client);
    await client.signIn({ identifier: bob.email, password });
    await client.start();
    assert.deepEqual(
      states.map(({ state }) => state),
      ['connecting', 'waiting', 'connecting', 'online'],
    );
    assert.equal(client.conversations.length, 25);
  });

  it('when a request is asked without a connection, then it waits for one, and not for ever', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const group = await makeGroup(ana, [bob]);
    const { id } = await send(ana, group.id, 'hello');
    let close: () => void = () => undefined;
    let away = false;
    const tap: Tap = {
      url: () => (away ? 'http://127.0.0.1:1' : app.url),
      opened: (_auth, end) => {
        close = end;
      },
    };
    const limits = { ...eager, answerMs: 1_000 };
    const client = await clientOf(app, bob, { limits, surroundings: { open: tapped(tap) } });
    clients.push(client);
    away = true;
    close();
    const [soon, never] = [client.react(group.id, id, '👍'), client.react(group.id, id, '👀')];
    never.catch(() => undefined);
    setImmediate(() => {
      away = false;
    });
    assert.equal((await soon).reactions.length > 0, true);
    await client.stop();
    await assert.rejects(client.react(group.id, id, '🎉'), (error: HomingError) => error.code === 'disconnected');
  });

  it('when it is stopped and started, then it is one connection, and waiting for it ends with the stop', async () => {
    const person = await registerPerson(app);
    let connects = 0;
    const tap: Tap = { opened: () => void (connects += 1) };
    const client = await clientOf(app, person, { limits: eager, surroundings: { open: tapped(tap) } });
    clients.push(client);
    await client.start();
    assert.equal(connects, 1, 'started already');
    await client.stop();
    assert.deepEqual(client.connection, { state: 'stopped' });
    const starting = client.start();
    const stopped = client.stop();
    await assert.rejects(starting, (error: HomingError) => error.code === 'stopped');
    await stopped;
    await client.start();
    assert.deepEqual(client.connection, { state: 'online' });
  });

  it('when there is more to ask than places, then the rest waits for one', async () => {
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    const groups = await Promise.all(Array.from({ length: 6 }, (_, n) => makeGroup(ana, [bob], `${n}`)));
    let [open, most] = [0, 0];
    const tap: Tap = {
      ask: async (_name, _input, go) => {
        open += 1;
        most = Math.max(most, open);
        const answer = await go();
        open -= 1;
        return answer;
      },
    };
    const limits = { ...eager, parallelRequests: 2 };
    const client = await clientOf(app, ana, { limits, surroundings: { open: tapped(tap) } });
    clients.push(client);
    await Promise.all(groups.map(({ id }) => client.send(id, { text: 'to each' }).stored));
    assert.equal(most, 2);
  });
});
