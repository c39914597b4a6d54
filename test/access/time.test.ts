import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ClientEventName, clientEvents } from '../../contracts/realtime/index.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { type MemberRule, type Rule, eventPolicy, ruleOf } from '../../domain/access/policy.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { call } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { type Came, askEvent, askRequest, askRest, eventInputOf, inputOf } from './ask.ts';
import { type Cell, inPlace } from './cells.ts';
import { type Place, World } from './world.ts';

interface Question {
  name: string;
  rule: MemberRule;
  ask: (socket: TestSocket, token: string, names: Cell['names']) => Promise<Came>;
}

/** One way in which a permission ends, and how it is given back for the next cell. */
interface Loss {
  place: string;
  take: () => Promise<unknown>;
  giveBack: () => Promise<unknown>;
  /** The place as the policy sees it afterwards. */
  after: (place: Place) => Place;
}

const operations = (Object.values(endpoints) as Endpoint[]).filter(({ auth }) => auth === 'user');

describe('the authorization matrix, right after a permission was taken away', function () {
  this.timeout(120_000);
  let app: TestApp;
  let world: World;
  before(async () => {
    app = await startApp();
    world = await World.make(app);
  });
  after(async () => {
    await world.close();
    await app.stop();
  });

  const known = () => ({
    role: 'member',
    userIds: world.actor('friend').id,
    userId: world.actor('friend').id,
    emoji: '👍',
    on: true,
  });
  const member = (rule: Rule | string): rule is MemberRule => typeof rule === 'object' && rule.who === 'member';
  const ofOperations = operations.flatMap((endpoint): Question[] => {
    const rule = ruleOf(endpoint.operationId);
    if (!member(rule)) return [];
    const input = (names: Cell['names']) => inputOf(endpoint, names, known());
    return [
      {
        name: `${endpoint.operationId} by REST`,
        rule,
        ask: (_, token, names) => askRest(app.url, endpoint, token, input(names)),
      },
      {
        name: `${endpoint.operationId} by request`,
        rule,
        ask: (socket, _, names) => askRequest(socket, endpoint, input(names)),
      },
    ];
  });
  const ofEvents = (Object.keys(clientEvents) as ClientEventName[]).flatMap((event): Question[] => {
    const rule = eventPolicy[event];
    if (!member(rule)) return [];
    return [
      { name: event, rule, ask: (socket, _, names) => askEvent(socket, event, eventInputOf(event, names, known())) },
    ];
  });
  const questions = [...ofOperations, ...ofEvents];

  const by = async (who: string, method: string, path: string, body?: object) => {
    const { status } = await call(app.url, method, path, {
      token: String(world.actor(who).token),
      ...(body ? { body } : {}),
    });
    assert.ok(status < 300, `${method} ${path} answered ${status}`);
  };
  const at = (place: string, rest = '') => `/v1/conversations/${world.place(place).id}${rest}`;
  const him = () => world.actor('member').id;
  const add = () => by('owner', 'POST', at('group', '/members'), { userIds: [him()] });
  const gone = (place: Place): Place => ({ ...place, roles: { ...place.roles, member: undefined } });
  const losses: Record<string, Loss> = {
    'who was removed': {
      ...{ place: 'group', after: gone, giveBack: add },
      take: () => by('owner', 'DELETE', at('group', `/members/${him()}`)),
    },
    'who has left': {
      ...{ place: 'group', after: gone, giveBack: add },
      take: () => by('member', 'POST', at('group', '/leave')),
    },
    'who was banned': {
      ...{ place: 'group', after: gone },
      take: () => by('owner', 'PUT', at('group', `/bans/${him()}`)),
      giveBack: async () => {
        await by('owner', 'DELETE', at('group', `/bans/${him()}`));
        await add();
      },
    },
    'who may only read': {
      place: 'group',
      take: () => by('owner', 'PATCH', at('group', `/members/${him()}`), { role: 'read_only' }),
      giveBack: () => by('owner', 'PATCH', at('group', `/members/${him()}`), { role: 'member' }),
      after: (place) => ({ ...place, roles: { ...place.roles, member: 'read_only' } }),
    },
    'whose group takes announcements only': {
      place: 'group',
      take: () => by('owner', 'PATCH', at('group'), { posting: 'admins' }),
      giveBack: () => by('owner', 'PATCH', at('group'), { posting: 'members' }),
      after: (place) => ({ ...place, posting: 'admins' }),
    },
    'who was blocked': {
      place: 'direct',
      take: () => by('owner', 'PUT', `/v1/me/blocks/${him()}`),
      giveBack: () => by('owner', 'DELETE', `/v1/me/blocks/${him()}`),
      after: (place) => ({ ...place, blocked: true }),
    },
  };

  let cells = 0;
  for (const [who, { place: name, take, giveBack, after: become }] of Object.entries(losses)) {
    it(`${who} is refused at once, by every door, on a socket from before`, async () => {
      const place = world.place(name);
      const actor = world.actor('member');
      const socket = world.sockets.get('member');
      assert.ok(socket);
      const differences: string[] = [];
      for (const { name: asked, rule, ask } of questions) {
        const before = new Set(
          inPlace(world, rule, actor, place).flatMap(({ object, expected }) => (expected === 'done' ? [object] : [])),
        );
        const cell = inPlace(world, rule, actor, become(place)).find(
          ({ object, expected }) => before.has(object) && expected !== 'done',
        );
        if (!cell) continue;
        await take();
        const { code } = await ask(socket, String(actor.token), cell.names);
        await giveBack();
        cells += 1;
        if (!cell.expected.includes(code as never))
          differences.push(`${asked}, ${cell.object}: ${code} for ${String(cell.expected)}`);
      }
      assert.deepEqual(differences, []);
    });
  }

  it('who was removed hears nothing of what is done there afterwards', async () => {
    const socket = world.sockets.get('member');
    const watcher = world.sockets.get('admin');
    assert.ok(socket && watcher);
    const { id, said } = world.place('group');
    const own = said.find(({ author, state }) => author === 'owner' && state === 'said')?.id ?? '';
    const of = ({ told }: TestSocket) => told.event.filter(({ conversationId }) => conversationId === id);
    const version = (about: TestSocket) => of(about).length;
    for (const viewer of [socket, watcher]) await viewer.ask('presence.set', { state: 'active', viewing: id });
    const before = Math.max(...of(socket).map((event) => event.version));
    await by('owner', 'DELETE', at('group', `/members/${him()}`));
    await socket.heard('event', (event) => event.conversationId === id && event.version > before);
    const [heard, watched] = [version(socket), version(watcher)];
    // That somebody may be seen no more is told by `unknown`.
    const seen = () =>
      socket.told.presence.flatMap(({ presences }) => presences).filter(({ state }) => state !== 'unknown');
    const hints = () => socket.told.typing.length + socket.told.receipts.length + seen().length;
    const hinted = hints();
    await by('owner', 'POST', at('group', '/messages'), { clientId: randomUUID(), text: 'without him' });
    await by('owner', 'PUT', at('group', `/messages/${own}/reactions/${encodeURIComponent('🎉')}`));
    await by('owner', 'PUT', at('group', `/messages/${own}/pin`));
    await by('owner', 'PATCH', at('group', `/messages/${own}`), { clientId: randomUUID(), text: 'said otherwise' });
    await by('owner', 'PUT', at('group', '/receipts'), { readSeq: 1 });
    await world.sockets.get('owner')?.ask('typing.set', { conversationId: id, on: true });
    await watcher.heard('typing', ({ conversationId }) => conversationId === id);
    // Whatever was told to the socket before this answer has come by now.
    await socket.ask('sync', { known: [] });
    assert.ok(version(watcher) >= watched + 4);
    assert.deepEqual([version(socket), hints()], [heard, hinted]);
    await add();
  });

  it('who was signed out is refused by every operation and event, on a socket from before', async () => {
    const actor = world.actor('member');
    const place = world.place('group');
    for (const { name, rule, ask } of questions) {
      const cell = inPlace(world, rule, actor, place).find(({ expected }) => expected === 'done');
      if (!cell) continue;
      const twin = await world.twinOf(actor);
      const token = String(twin.token);
      const socket = await connect(app.url, { token });
      const closed = new Promise<'closed'>((resolve) => socket.raw.once('disconnect', () => resolve('closed')));
      const other = world.tokenOf(twin.id, twin.own.session);
      const { status } = await call(app.url, 'DELETE', `/v1/sessions/${twin.sessionId}`, { token: other });
      assert.equal(status, 204);
      const came = await Promise.race([ask(socket, token, cell.names).then(({ code }) => code), closed]);
      assert.ok(came === 'closed' || came === 'session_revoked', `${name}: ${came}`);
      cells += 1;
      socket.close();
    }
    process.stdout.write(`      time: ${cells} cells, 0 differences\n`);
  });
});
