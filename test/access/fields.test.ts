import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { clientEvents, serverEvents } from '../../contracts/realtime/index.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { type Besides, type Rule, ruleOf } from '../../domain/access/policy.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Came, askRequest, askRest, inputOf } from './ask.ts';
import { cellsOf } from './cells.ts';
import { changedTables, fingerprints } from './fingerprint.ts';
import { fieldsOf, roomIn } from './sample.ts';
import { World } from './world.ts';

const operations = Object.values(endpoints) as Endpoint[];
const writes = operations.filter(({ body }) => body !== undefined);
/** What browsers write of a passkey grows with their standard: what we do not know of it is dropped, and no fault. */
const fromBrowsers = /^\w+ \.\$defs\.(New)?PasskeyAnswer(\.properties\.response)?$/;
/** Faults that one answer names. */
const faultsAtOnce = 50;

describe('the fields of the authorization matrix', function () {
  this.timeout(120_000);
  let app: TestApp;
  let world: World;
  let columns: string[];
  before(async () => {
    app = await startApp();
    world = await World.make(app);
    columns = await columnNames();
  });
  after(async () => {
    await world.close();
    await app.stop();
  });

  /** Every column of every table, as the database and as a contract would call it. */
  async function columnNames(): Promise<string[]> {
    const { rows } = await world.db.query<{ name: string }>(
      `select distinct column_name as name from information_schema.columns where table_schema = 'public'`,
    );
    const camel = (name: string) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    return [...new Set(rows.flatMap(({ name }) => [name, camel(name)]))].sort();
  }

  /** Who may do the most, asking of what they may: only the field can be the reason to refuse. */
  const allowed = (rule: Rule) => {
    const actor = world.actor(rule.who === 'staff' ? 'orgAdmin' : 'owner');
    const names = cellsOf(world, rule, actor).find(({ expected }) => expected === 'done')?.names ?? {};
    return { actor, names };
  };
  const doors = (
    endpoint: Endpoint,
  ): ((token: string | null, input: ReturnType<typeof inputOf>, who: string) => Promise<Came>)[] => [
    (token, input) => askRest(app.url, endpoint, token, input),
    ...(endpoint.auth === 'user'
      ? [
          (_: string | null, input: ReturnType<typeof inputOf>, who: string) => {
            const socket = world.sockets.get(who);
            if (!socket) throw new Error(`${who} has no socket`);
            return askRequest(socket, endpoint, input);
          },
        ]
      : []),
  ];

  it('no write takes a column of a row, its own or another’s, that its contract does not name', async () => {
    const look = await fingerprints(world.db);
    const before = await look();
    let cells = 0;
    for (const endpoint of writes) {
      const { actor, names } = allowed(ruleOf(endpoint.operationId));
      const input = inputOf(endpoint, names, {});
      const known = new Set(endpoint.body ? fieldsOf(endpoint.body) : []);
      const strange = columns.filter((name) => !known.has(name));
      for (let from = 0; from < strange.length; from += faultsAtOnce) {
        const some = strange.slice(from, from + faultsAtOnce);
        const body = { ...input.body, ...Object.fromEntries(some.map((name) => [name, actor.id])) };
        for (const ask of doors(endpoint)) {
          const came = await ask(actor.token, { ...input, body }, actor.name);
          assert.equal(came.code, 'invalid_input', endpoint.operationId);
          const missing = some.filter(
            (name) => !new RegExp(`"path":"(body\\.)?${name}","code":"unknown_field"`).test(came.told),
          );
          assert.deepEqual(missing, [], `${endpoint.operationId} says nothing of these`);
          cells += some.length;
        }
      }
    }
    assert.deepEqual(changedTables(before, await look()), []);
    process.stdout.write(`      fields: ${cells} cells, 0 differences\n`);
  });

  it('no input has room for a field that nobody named, however deep, and no answer or event either', () => {
    const roomy = [
      ...operations.flatMap(({ operationId, params, query, body, success }) => [
        ...[params, query, body]
          .flatMap((part) => (part ? roomIn(part, 'input') : []))
          .map((at) => `${operationId} ${at}`),
        ...Object.values(success)
          .flatMap((part) => (part ? roomIn(part, 'output') : []))
          .map((at) => `${operationId} → ${at}`),
      ]),
      ...Object.entries(clientEvents).flatMap(([name, { input, answer }]) => [
        ...roomIn(input, 'input').map((at) => `${name} ${at}`),
        ...roomIn(answer, 'output').map((at) => `${name} → ${at}`),
      ]),
      ...Object.entries(serverEvents).flatMap(([name, { payload }]) =>
        roomIn(payload, 'output').map((at) => `${name} → ${at}`),
      ),
    ];
    assert.deepEqual(
      roomy.filter((at) => !fromBrowsers.test(at)),
      [],
    );
  });

  it('a message that a body may name is one of the conversation, and one that the actor may read', async () => {
    const look = await fingerprints(world.db);
    const before = await look();
    let cells = 0;
    for (const endpoint of writes) {
      const rule = ruleOf(endpoint.operationId);
      if (rule.who !== 'member' || !endpoint.body) continue;
      const late = world.place('late');
      const actor = world.actor('member');
      const foreign = world.place('foreign').said[0]?.id;
      const early = late.said.find(({ state }) => state === 'early')?.id;
      for (const field of besidesIn(rule, ['message']))
        for (const id of [foreign, early]) {
          const input = inputOf(endpoint, { [rule.of]: late.id }, {});
          for (const ask of doors(endpoint)) {
            const came = await ask(actor.token, { ...input, body: { ...input.body, [field]: id } }, actor.name);
            assert.ok(
              ['invalid_input', 'not_found'].includes(came.code),
              `${endpoint.operationId} ${field}: ${came.code}`,
            );
            cells += 1;
          }
        }
    }
    assert.ok(cells > 0);
    assert.deepEqual(changedTables(before, await look()), []);
  });

  it('a person whom a body may name beside is there, and is a member where they must be', async () => {
    const look = await fingerprints(world.db);
    const before = await look();
    const asked = new Set<string>();
    for (const endpoint of writes) {
      const rule = ruleOf(endpoint.operationId);
      const { actor, names } = allowed(rule);
      for (const [is, id] of [
        ['person', randomUUIDv7()],
        ['member', randomUUIDv7()],
        ['member', world.actor('stranger').id],
      ] as const)
        for (const field of besidesIn(rule, [is]))
          for (const ask of doors(endpoint)) {
            const input = inputOf(endpoint, names, {});
            const came = await ask(
              actor.token,
              { ...input, body: { ...input.body, ...naming(field, id) } },
              actor.name,
            );
            assert.equal(came.code, 'invalid_input', `${endpoint.operationId} ${field}: ${came.told}`);
            asked.add(endpoint.operationId);
          }
    }
    assert.deepEqual([...asked].sort(), ['addMembers', 'editMessage', 'sendMessage']);
    assert.deepEqual(changedTables(before, await look()), []);
  });
});

/** Fields of the body that name something beside what the row judges. */
const besidesIn = (rule: Rule, kinds: readonly Besides['is'][]): string[] =>
  (rule.who === 'anybody' ? [] : (rule.besides ?? []))
    .filter(({ at, is }) => kinds.includes(is) && at.startsWith('body.'))
    .map(({ at }) => at.slice('body.'.length));

const naming = (field: string, id: string) =>
  field === 'mentions.userId'
    ? { mentions: [{ type: 'user', userId: id, offset: 0, length: 1 }] }
    : { [field]: field.endsWith('Ids') ? [id] : id };
