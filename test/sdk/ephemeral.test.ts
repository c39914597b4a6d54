import assert from 'node:assert/strict';
import { type Person, makeDirect, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, clientsOfEachTest, eager, heard, tapped } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';

describe('what the client tells and hears in passing', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  const online = async (person: Person, options: Parameters<typeof clientOf>[2] = {}) => {
    const client = await clientOf(app, person, options);
    clients.push(client);
    return client;
  };

  it('tells who writes, and that they do no longer', async () => {
    const [ana, ben] = await registerPeople(app, 'ana', 'ben');
    const { id } = await makeDirect(ana, ben);
    const [writer, reader] = [await online(ana), await online(ben)];
    await reader.setPresence('active', id);

    const begins = heard(reader, 'typing', ({ until }) => until !== null);
    writer.setTyping(id, true);
    const { conversationId, userId } = await begins;
    assert.deepEqual([conversationId, userId], [id, ana.id]);

    const ends = heard(reader, 'typing', ({ until }) => until === null);
    writer.setTyping(id, false);
    await ends;
  });

  it('says who is there in the conversation that is looked at, and when that changes', async () => {
    const [ana, ben] = await registerPeople(app, 'ana', 'ben');
    const { id } = await makeDirect(ana, ben);
    expectStatus(await ana.call('PATCH', '/v1/me', { privacy: { tellLastSeen: 'everyone' } }), 200);
    const [looked, looking] = [await online(ana), await online(ben)];

    const presences = await looking.setPresence('active', id);
    assert.deepEqual(
      presences.map(({ userId, state }) => [userId, state]),
      [[ana.id, 'active']],
    );
    const changed = heard(looking, 'presence', (told) => told.presences.some(({ state }) => state === 'idle'));
    await looked.setPresence('idle', null);
    assert.equal((await changed).conversationId, id);
  });

  it('says again over a new connection what was said last, and what it hears of it', async () => {
    const [ana, ben] = await registerPeople(app, 'ana', 'ben');
    const { id } = await makeDirect(ana, ben);
    expectStatus(await ana.call('PATCH', '/v1/me', { privacy: { tellLastSeen: 'everyone' } }), 200);
    const away = await online(ana);
    const closing: (() => void)[] = [];
    const open = tapped({ opened: (_auth, close) => void closing.push(close) });
    const looking = await online(ben, { limits: eager, surroundings: { open } });
    await away.setPresence('idle', null);
    await looking.setPresence('active', id);

    const again = heard(looking, 'presence');
    closing.at(-1)?.();
    const { conversationId, presences } = await again;
    assert.deepEqual([conversationId, presences.map(({ userId, state }) => [userId, state])], [id, [[ana.id, 'idle']]]);
    const typing = heard(looking, 'typing');
    away.setTyping(id, true);
    assert.equal((await typing).userId, ana.id, 'it is in view again');
  });

  it('hears what is unread in all once another device has read', async () => {
    const [ana, ben] = await registerPeople(app, 'ana', 'ben');
    const { id } = await makeDirect(ana, ben);
    const [phone, laptop] = [await online(ben), await online(ben)];
    const both = Promise.all([phone, laptop].map((client) => heard(client, 'message')));
    await send(ana, id, 'are you there?');
    await both;

    const counts = heard(phone, 'attention', ({ unread }) => unread === 0);
    laptop.markRead(id);
    assert.deepEqual(await counts, { unread: 0, mentions: 0, threads: { unread: 0, mentions: 0 }, badge: 0 });
  });
});
