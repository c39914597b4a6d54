import assert from 'node:assert/strict';
import {
  type ClientEventName,
  type ServerEventName,
  clientEvents,
  serverEvents,
} from '../../contracts/realtime/index.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { type PersonRule, type Rule, eventPolicy, ruleOf } from '../../domain/access/policy.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { connect } from '../support/socket.ts';
import { type Came, askEvent, askRequest, askRest, eventInputOf, inputOf } from './ask.ts';
import { type Cell, cellsOf } from './cells.ts';
import { type Fingerprint, changedTables, fingerprints } from './fingerprint.ts';
import { type Actor, World, outsiders, people } from './world.ts';

type Ask = (actor: Actor, names: Cell['names']) => Promise<Came>;

/** One thing that can be asked, by each of its doors. */
interface Question {
  name: string;
  rule: Rule;
  /** It changes nothing, so that it may be asked of what others share. */
  reads: boolean;
  doors: Readonly<Record<string, Ask>>;
}

/** What is told without being asked, and not because of what was asked just now. */
const restless: ReadonlySet<ServerEventName> = new Set(['hello', 'heads', 'attention', 'presence', 'notice']);
const heardNames = (Object.keys(serverEvents) as ServerEventName[]).filter((name) => !restless.has(name));
/** By these the policy refuses; by any other word an operation does by its own rules, once it may be asked. */
const ofPolicy: ReadonlySet<string> = new Set([
  ...['unauthenticated', 'token_expired', 'session_revoked', 'forbidden', 'not_found', 'internal'],
  'insufficient_scope',
]);
const reading: ReadonlySet<string> = new Set(['sync', 'events.after', 'presence.set', 'typing.set', 'session.renew']);
const operations = Object.values(endpoints) as Endpoint[];

/**
 * Every operation and every event of the contracts, by every door, for every actor, on every object that its row in the
 * policy tells apart. A new operation is here by itself.
 */
describe('the authorization matrix', function () {
  this.timeout(60_000);
  let app: TestApp;
  let world: World;
  let look: () => Promise<Fingerprint>;
  const tally = { refused: 0, done: 0, differences: 0 };
  const began = performance.now();
  before(async () => {
    app = await startApp();
    world = await World.make(app);
    look = await fingerprints(world.db);
  });
  after(async () => {
    await world.close();
    await app.stop();
    const { refused, done, differences } = tally;
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    process.stdout.write(
      `    ${refused + done} cells (${refused} refused, ${done} done), ${differences} differences, ${seconds} seconds\n`,
    );
  });

  const known = () => {
    const friend = world.actor('friend').id;
    return { role: 'member', userIds: friend, memberIds: friend, userId: friend, emoji: '👍' };
  };
  const socketOf = ({ name }: Actor) => {
    const socket = world.sockets.get(name);
    if (!socket) throw new Error(`${name} has no socket`);
    return socket;
  };

  const byOperation = operations.map((endpoint): Question => {
    const input = (names: Cell['names']) => inputOf(endpoint, names, known());
    const REST: Ask = ({ token }, names) => askRest(app.url, endpoint, token, input(names));
    const request: Ask = async (actor, names) => askRequest(socketOf(actor), endpoint, input(names));
    const { operationId: name, method, auth } = endpoint;
    const reads = method === 'get' || reading.has(name);
    return { name, rule: ruleOf(name), reads, doors: auth === 'user' ? { REST, request } : { REST } };
  });
  const byEvent = (Object.keys(clientEvents) as ClientEventName[]).flatMap((name): Question[] => {
    const rule = eventPolicy[name];
    if (rule === 'as its operation') return [];
    const event: Ask = async (actor, names) => askEvent(socketOf(actor), name, eventInputOf(name, names, known()));
    return [{ name: `the event ${name}`, rule, reads: reading.has(name), doors: { event } }];
  });
  const ofSignedIn = [...byOperation, ...byEvent].filter(({ rule }) => rule.who !== 'anybody');

  const heard = () => {
    const of = (name: ServerEventName) =>
      [...world.sockets.values()].reduce((sum, { told }) => sum + told[name].length, 0);
    return heardNames.reduce((sum, name) => sum + of(name), 0);
  };
  const expectNone = (differences: readonly string[]) => {
    tally.differences += differences.length;
    assert.deepEqual(differences, []);
  };

  it('who is not let in is told so by every operation, has no socket, and changes nothing', async () => {
    const differences: string[] = [];
    const codes = {
      ...{ anonymous: 'unauthenticated', expired: 'token_expired' },
      ...{ revoked: 'session_revoked', suspended: 'session_revoked' },
    };
    const before = await look();
    for (const name of outsiders) {
      const actor = world.actor(name);
      for (const { name: asked, rule, doors } of byOperation.filter((one) => one.rule.who !== 'anybody')) {
        const [cell] = cellsOf(world, rule, world.actor('member'));
        const { code } = (await doors.REST?.(actor, cell?.names ?? {})) ?? { code: 'not asked' };
        tally.refused += 1;
        if (code !== codes[name]) differences.push(`${asked}, ${name}: ${code} for ${codes[name]}`);
      }
      const refused = await connect(app.url, name === 'anonymous' ? {} : { token: actor.token }).then(
        (socket) => void socket.close(),
        ({ data }: { data?: { code: string } }) => data?.code,
      );
      const code = name === 'anonymous' ? 'invalid_input' : codes[name];
      if (refused !== code) differences.push(`a socket, ${name}: ${String(refused)} for ${code}`);
    }
    assert.deepEqual(changedTables(before, await look()), []);
    expectNone(differences);
  });

  for (const { name, rule, doors } of ofSignedIn)
    it(`${name} refuses who may not with the policy’s word, by every door: nothing is told, changed or heard`, async () => {
      const differences: string[] = [];
      for (const [door, ask] of Object.entries(doors)) {
        // Whatever the reason, what is not theirs looks as if it were not there.
        let notThere: string | undefined;
        for (const actor of people.map((who) => world.actor(who))) {
          const cells = cellsOf(world, rule, actor).filter(({ expected }) => expected !== 'done');
          if (cells.length === 0) continue;
          const [before, heardBefore] = [await look(), heard()];
          const forbidden = new Set<string>();
          const differs = (object: string, what: string) =>
            differences.push(`${door}, ${actor.name}, ${object}: ${what}`);
          const came = await Promise.all(cells.map(({ names }) => ask(actor, names)));
          tally.refused += cells.length;
          came.forEach(({ code, told }, index) => {
            const { object, expected } = cells[index] as Cell;
            if (!expected.includes(code as never)) differs(object, `${code} for ${String(expected)}`);
            if (code === 'forbidden') forbidden.add(told);
            if (code !== 'not_found') return;
            notThere ??= told;
            if (told !== notThere) differs(object, `${told} for ${notThere}`);
          });
          if (rule.who === 'staff' && forbidden.size > 1) differs('any', 'refused in several ways');
          // What operators ask of a job is audited, whatever comes of it.
          const changed = changedTables(before, await look()).filter(
            (table) => rule.who !== 'staff' || !['audit', 'audit_end'].includes(table),
          );
          if (changed.length > 0) differs('one of the refused', `changed ${changed.join(', ')}`);
          if (heard() !== heardBefore) differs('one of the refused', 'was heard');
        }
      }
      expectNone(differences);
    });

  // After all that is refused: from here on something is changed, and told. Readers come first, for they are shown it.
  const readersFirst = [...ofSignedIn].sort((one, other) => Number(other.reads) - Number(one.reads));
  for (const question of readersFirst)
    it(`${question.name} does it for who may, by every door, and tells them nothing that is not theirs`, async () => {
      const differences: string[] = [];
      for (const [door, ask] of Object.entries(question.doors))
        for (const actor of people.map((who) => world.actor(who))) {
          const cells = cellsOf(world, question.rule, actor).filter(({ expected }) => expected === 'done');
          const came = await Promise.all(cells.map((cell) => onItsOwn(question, door, ask, actor, cell)));
          tally.done += cells.length;
          came.forEach(({ code, body }, index) => {
            const where = `${door}, ${actor.name}, ${cells[index]?.object}`;
            if (ofPolicy.has(code)) differences.push(`${where}: ${code} for done`);
            const what = question.rule.who === 'staff' ? 'texts' : 'all';
            const leaks = question.reads ? world.leaksTo(actor, body, what) : [];
            if (leaks.length > 0) differences.push(`${where}: tells ${leaks.join(', ')}`);
          });
        }
      expectNone(differences);
    });

  /** What changes a conversation is asked of a copy of it, and what changes a person of a twin. */
  async function onItsOwn({ rule, reads }: Question, door: string, ask: Ask, actor: Actor, cell: Cell): Promise<Came> {
    if (reads) return ask(actor, cell.names);
    if (cell.place) return ask(actor, await inCopies(cell.names));
    if (rule.who !== 'person') return ask(actor, cell.names);
    const twin = await world.twinOf(actor);
    const own = cellsOf(world, rule, twin).find(({ object }) => object === cell.object)?.names ?? cell.names;
    const names = rule.orRole && rule.own && cell.object === 'foreign' ? await ofAnother(rule.own) : own;
    if (door === 'REST') return ask(twin, names);
    const name = `the twin ${twin.id}`;
    const socket = await connect(app.url, { token: twin.token });
    world.sockets.set(name, socket);
    try {
      return await ask({ ...twin, name }, names);
    } finally {
      socket.close();
      world.sockets.delete(name);
    }
  }

  /** What a role may do with what is another's is done to somebody's who is nobody else. */
  async function ofAnother({ what, at }: NonNullable<PersonRule['own']>): Promise<Cell['names']> {
    if (what === 'draft' || what === 'token') throw new Error(`of nobody else: ${what}`);
    return { [at]: (await world.twinOf(world.actor('foreigner'))).own[what] };
  }

  /** The same names, of copies of the conversations that they name. */
  async function inCopies(names: Cell['names']): Promise<Cell['names']> {
    const instead = new Map<string, string>();
    const isNamed = ({ id, invite }: World['places'][number]) =>
      Object.values(names).some((name) => name === id || name === invite?.code);
    for (const place of world.places.filter(isNamed)) {
      const copy = await world.copyOf(place);
      instead.set(place.id, copy.id);
      if (place.invite && copy.invite) instead.set(place.invite.code, copy.invite.code);
    }
    return Object.fromEntries(Object.entries(names).map(([at, name = '']) => [at, instead.get(name) ?? name]));
  }
});
