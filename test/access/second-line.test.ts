import assert from 'node:assert/strict';
import { clientEvents, type ClientEventName } from '../../contracts/realtime/index.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import type { Db, Statement } from '../../db/client.ts';
import { type Rule, eventPolicy, ruleOf } from '../../domain/access/policy.ts';
import { type Person, makeGroup, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { askEvent, askRequest, askRest, eventInputOf, inputOf } from './ask.ts';

/** What is asked before an operation begins, or for many people at once, and so as everybody. */
const asEverybody = new Set([
  // Whether the session is open, and a proof of it fresh.
  ...['is-session-open', 'is-proved-since', 'touch-session'],
  // The lanes: one statement for many.
  ...['store-plain-messages', 'store-messages', 'move-watermarks', 'look-at-screens'],
  // What a node watches, and what it tells its sockets, for whoever is connected.
  ...[
    'sessions-revoked-within',
    'signing-keys',
    'followed-by',
    'followers-among',
    'people-in-views',
    'conversations-with',
    'heads-of',
    'recent-joins',
    'mark-seen',
    'mark-still-seen',
    'blocks-of',
    'unread-of',
  ],
]);

/** Whoever has a key to it is no member yet: it is looked for as everybody, by these alone. */
const lettingIn: Record<string, string> = { joinChannel: 'lock-conversation', acceptInvite: 'invite-by-code' };

/** What asks nothing by itself with such an input: the lanes store it, a secret opens it, or it is refused before. */
const asksNothing = new Set([
  ...['sendMessage', 'message.send', 'updateReceipts', 'receipt.update'],
  ...['joinChannel', 'acceptInvite', 'session.renew', 'addPasskey', 'beginIdentity'],
]);

describe('the second line: what a person asks for', () => {
  let app: TestApp;
  let person: Person;
  let socket: TestSocket;
  let asked: { inNameOf: string | null; statement: string }[] = [];
  before(async () => {
    app = await startApp();
    person = await registerPerson(app);
    socket = await connect(app.url, { token: person.token });
    record(app.processes[0]?.runtime.deps.db as Db);
  });
  after(async () => {
    socket.close();
    await app.stop();
  });
  beforeEach(() => {
    asked = [];
  });

  /** Notes each statement that this process runs, and in whose name. */
  function record(db: Db): void {
    const noting = (from: Db, inNameOf: string | null): Db => {
      const note = ({ name, text }: Statement) => void asked.push({ inNameOf, statement: name ?? text });
      return {
        ...from,
        query: (statement) => (note(statement), from.query(statement)),
        write: (statement) => (note(statement), from.write(statement)),
        transaction: (work) =>
          from.transaction((tx) =>
            work({ ...tx, query: (statement: Statement) => (note(statement), tx.query(statement)) } as never),
          ),
        as: (userId) => noting(from.as(userId), userId),
        asEverybody: () => noting(from.asEverybody(), null),
      };
    };
    Object.assign(db, noting({ ...db }, null));
  }

  const isHeldTo = (rule: Rule | 'as its operation') =>
    typeof rule === 'object' && rule.who !== 'anybody' && rule.who !== 'staff' && !('alone' in rule);

  const expectInTheirName = (what: string) => {
    const mayPass = (statement: string) => asEverybody.has(statement) || lettingIn[what] === statement;
    const passing = asked.filter(({ inNameOf, statement }) => inNameOf === null && !mayPass(statement));
    assert.deepEqual(passing, []);
    assert.ok(asked.every(({ inNameOf }) => inNameOf === null || inNameOf === person.id));
    // What a node asks for everybody may be what an operation asks, too: the operation must have asked as its person.
    assert.equal(
      asked.some(({ inNameOf }) => inNameOf === person.id),
      !asksNothing.has(what),
    );
  };

  for (const endpoint of Object.values(endpoints) as Endpoint[]) {
    if (endpoint.auth !== 'user' || !isHeldTo(ruleOf(endpoint.operationId)) || endpoint.operationId === 'logout')
      continue;
    it(`${endpoint.operationId} is done in their name, by REST and by the socket`, async () => {
      const input = inputOf(endpoint, {}, { emoji: '👍', role: 'member' });
      await askRest(app.url, endpoint, person.token, input);
      await askRequest(socket, endpoint, input);
      expectInTheirName(endpoint.operationId);
    });
  }

  for (const name of Object.keys(clientEvents) as ClientEventName[]) {
    if (!isHeldTo(eventPolicy[name])) continue;
    it(`${name} is done in their name`, async () => {
      await askEvent(socket, name, eventInputOf(name, {}, { emoji: '👍', on: true }));
      expectInTheirName(name);
    });
  }

  it('what a guard forgets is not there, by REST and by the socket', async () => {
    const [ana, bob] = [await registerPerson(app), await registerPerson(app)];
    const bobs = await connect(app.url, { token: bob.token });
    const { id } = await makeGroup(ana, []);
    await send(ana, id, 'among us');
    // The guard that loads a membership takes everybody for an owner.
    const forget = forgetting(app.processes[0]?.runtime.deps.db as Db);
    const path = { id };
    const answers = [
      await askRest(app.url, endpoints.listMessages, bob.token, { params: path }),
      await askRequest(bobs, endpoints.listMessages, { params: path }),
      await askRest(app.url, endpoints.listMembers, bob.token, { params: path }),
    ];
    forget.stop();
    bobs.close();
    assert.ok(forget.times() >= 3);
    assert.deepEqual(
      answers.map(({ code, body }) => [code, (body as { items: unknown[] }).items]),
      [
        ['done', []],
        ['done', []],
        ['done', []],
      ],
    );
  });

  /** Answers the guard's own question with a membership that nobody has. */
  function forgetting(db: Db): { stop: () => void; times: () => number } {
    const real = { ...db };
    let times = 0;
    const anybody = {
      ...{ kind: 'group', posting: 'members', blocked: false, role: 'owner', memberCount: 1, memberVersion: 1 },
      ...{ joinedSeq: 0, joinedVersion: 0, deliveredSeq: 0, readSeq: 0, version: 9, lastSeq: 9 },
    };
    db.as = (userId) => {
      const theirs = real.as(userId);
      const query = (statement: Statement) => {
        if (statement.name !== 'membership-of') return theirs.query(statement);
        times += 1;
        return Promise.resolve({ rows: [anybody], rowCount: 1 });
      };
      return { ...theirs, query: query as Db['query'] };
    };
    return { stop: () => void Object.assign(db, real), times: () => times };
  }
});
