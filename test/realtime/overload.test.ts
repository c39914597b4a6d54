import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import { limits } from '../../contracts/limits.ts';
import { sendLimits } from '../../domain/messages/index.ts';
import { type Person, makeGroup, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type TestSocket, connect } from '../support/socket.ts';
import { until } from '../support/until.ts';

describe('a node that is given more than it can store', () => {
  let app: TestApp;
  let ana: Person;
  let socket: TestSocket;
  let holder: pg.Client;
  before(async () => {
    app = await startApp();
    [ana] = await registerPeople(app, 'Ana');
    socket = await connect(app.url, { token: ana.token });
    holder = new pg.Client(app.database.adminUrl);
    await holder.connect();
  });
  after(async () => {
    socket.close();
    await holder.end();
    await app.stop();
  });

  const say = (conversationId: string, message: object = {}) =>
    socket.ask('message.send', { conversationId, message: { clientId: randomUUIDv7(), text: 'hello', ...message } });
  const codeOf = (answer: Awaited<ReturnType<typeof say>>) => (answer.ok ? 'ok' : answer.error.code);
  const isUnderWay = async () => {
    const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    return (await app.database.run(waits)).rows.length > 0;
  };
  const isFull = () => app.processes[0]?.runtime.deps.storesAreFull();

  it('refuses at once who would stand behind too many, unread, and stores all the others', async () => {
    const [group, elsewhere] = [await makeGroup(ana, []), await makeGroup(ana, [])];
    await holder.query('begin');
    await holder.query('select from conversations where id = $1 for update', [group.id]);
    const first = say(group.id);
    await until(isUnderWay, Boolean);
    assert.ok(sendLimits.maxWaiting < limits.socketPacketsPerSecond, 'one socket may send as many');
    const waiting = Array.from({ length: sendLimits.maxWaiting }, () => say(group.id));
    await until(async () => isFull(), Boolean);
    const refused = [await say(elsewhere.id), await say(elsewhere.id, { text: null })];
    const urgent = await say(elsewhere.id, { priority: 'urgent' });
    await holder.query('commit');
    const answers = await Promise.all([first, ...waiting]);

    assert.deepEqual(refused.map(codeOf), ['overloaded', 'overloaded']);
    for (const answer of refused) assert.ok(!answer.ok && (answer.error.retryAfterMs ?? 0) > 0);
    assert.equal(codeOf(urgent), 'ok', 'urgent ones go beside the others');
    assert.deepEqual(new Set(answers.map(codeOf)), new Set(['ok']));
    const { rows } = await holder.query('select count(*)::int from messages where conversation_id = $1', [group.id]);
    assert.deepEqual(rows, [{ count: answers.length }]);
    assert.equal(codeOf(await say(elsewhere.id)), 'ok', 'nothing is left of it');
  });
});
