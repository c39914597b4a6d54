import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Payload } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import pg from 'pg';
import type { UserId } from '../../contracts/ids.ts';
import type { Why } from '../../contracts/entities/index.ts';
import type { MessageId } from '../../contracts/ids.ts';
import { root } from '../../dev/services/index.ts';
import { explainMessage } from '../../domain/support/index.ts';
import { openDb } from '../../db/client.ts';
import { readConfig } from '../../platform/config.ts';
import { SendGridKey } from '../../sandbox/signatures.ts';
import { createCodec } from '../../temporal/codec.ts';
import {
  type Person,
  deleteMessage,
  makeDirect,
  makeGroup,
  phoneNumber,
  read,
  registerDevice,
  registerPerson,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, startApp, testLadder } from '../setup/app.ts';
import { type Item, rule, waitFor } from '../support/inbox.ts';
import { operatorsOf } from '../support/operators.ts';
import { recount } from '../support/recount.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

const [hour, day] = [3_600_000, 86_400_000];

/**
 * Everything that a ladder can meet, in processes of their own whose output is kept: pushes that are taken, refused and hang,
 * mails that bounce and whose answers are lost, texts that are answered by STOP, reports that are forged and garbled, a
 * person who closes what is stuck. What stands in the log, in the histories and in the ledger is looked through afterwards.
 */
describe('after a whole ladder with its failures', () => {
  let app: TestApp;
  let sql: pg.Client;
  let db: ReturnType<typeof openDb>;
  let operators: ReturnType<typeof operatorsOf>;
  let output = '';
  const processes: ChildProcess[] = [];
  /** What must stand nowhere: a word for each thing, and the thing. */
  const secrets: [what: string, value: string][] = [];
  const people: Person[] = [];
  const secret = <Value extends string>(what: string, value: Value): Value => {
    secrets.push([what, value]);
    return value;
  };

  before(async function () {
    this.timeout(120_000);
    app = await startApp({ processes: [], reports: true });
    const ladder = `${testLadder} sms=3s sms-after-failure=500ms give-up=30s`;
    for (const roles of [['api', 'realtime'], ['relay'], ['worker']]) await begin(roles, { HOMING_LADDER: ladder });
    app.url = app.env.HOMING_PUBLIC_URL ?? '';
    for (const name of ['SENDGRID_API_KEY', 'TWILIO_AUTH_TOKEN', 'HOMING_SECRET_KEY', 'HOMING_PASSWORD_PEPPER'])
      secret(name, app.env[name] ?? '');
    sql = new pg.Client(app.database.url);
    await sql.connect();
    db = openDb({ url: app.database.url, applicationName: 'whole-ladder' });
    operators = operatorsOf(app);
    await climb();
  });
  after(async () => {
    for (const process of processes) await end(process);
    await operators.disconnect();
    await sql.end();
    await db.end();
    await app.stop();
  });

  const begin = async (roles: string[], env: NodeJS.ProcessEnv) => {
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, ['main.ts', ...roles], {
      cwd: root,
      env: { ...app.env, ...env, HOMING_LOG_LEVEL: 'info', PATH, HOME },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    processes.push(child);
    let own = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        own += text;
        output += text;
      });
    await until(
      async () => own,
      (text) => text.includes('"message":"ready"'),
    );
  };
  const end = async (child: ChildProcess) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };

  const control = async (path: string, body: object, method = 'POST') => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${app.sandboxUrl}${path}`, { method, headers, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  };
  /** Somebody with a device of this kind, an address of this one, and a number. */
  const somebody = async (name: string, { token = 'ok', phone = phoneNumber() } = {}) => {
    const email = secret('address', `${name.toLowerCase()}+${randomBytes(6).toString('hex')}@example.test`);
    const person = { ...(await registerPerson(app, name, { email })), email };
    secret('access token', person.token);
    secret('push token', await registerDevice(person, `${token}-${randomBytes(12).toString('hex')}`));
    await verifyContacts(app, person, secret('number', phone));
    expectStatus(await person.call('PATCH', '/v1/me/notifications', { channels: { sms: true } }), 200);
    people.push(person);
    return { ...person, phone };
  };
  const text = () => secret('text', `canary ${randomBytes(8).toString('hex')}`);
  const mailTo = async (email: string) =>
    (await waitFor(app, { to: email, channel: 'email', text: 'canary' }))[0] as Item;

  const climb = async () => {
    const ana = await somebody('Ana');
    const told = await somebody('Told');
    const dead = await somebody('Dead', { token: 'dead' });
    const bounced = await somebody('Bounced', { token: 'dead' });
    const lost = await somebody('Lost', { token: 'dead' });
    const stuck = await somebody('Stuck');
    const reader = await somebody('Reader');
    const muted = await somebody('Muted');
    await rule(app, { provider: 'sendgrid', to: lost.email, count: 1, action: { cut: 'after' } });
    await rule(app, { provider: 'twilio', to: dead.phone, count: 2, action: { error: '20500' } });
    await rule(app, { provider: 'sendgrid', to: stuck.email, action: { status: 401, body: `no ${stuck.email}` } });
    const group = await makeGroup(ana, [told, dead, bounced, lost, stuck, reader, muted]);
    const mine = `/v1/conversations/${group.id}/me`;
    expectStatus(await muted.call('PATCH', mine, { mutedUntil: new Date(Date.now() + hour).toISOString() }), 200);
    for (let n = 0; n < 3; n += 1) await send(ana, group.id, text());
    const gone = await send(ana, group.id, text());
    expectStatus(await deleteMessage(ana, group.id, gone.id), 200);
    expectStatus(await read(reader, group.id, gone.seq), 200);
    await send(told, (await makeDirect(told, reader)).id, text());
    // Reports: what providers tell by themselves, and what others pretend to.
    await control(`/items/${(await mailTo(bounced.email)).id}/events`, { event: 'bounce' });
    const [sms] = await waitFor(app, { to: told.phone, channel: 'sms' });
    await control(`/items/${sms?.id}/reply`, { text: 'STOP' });
    const { email } = told;
    const forged = JSON.stringify([{ event: 'bounce', email, timestamp: 1, sg_event_id: 'x' }]);
    const garbled = JSON.stringify([{ event: 'bounce', email, timestamp: 'soon' }]);
    for (const [body, key] of [
      [forged, new SendGridKey()],
      [garbled, new SendGridKey(app.env.SANDBOX_SENDGRID_KEY)],
    ] as const)
      await fetch(`${app.url}/v1/providers/sendgrid/events`, {
        method: 'POST',
        body,
        headers: {
          'x-twilio-email-event-webhook-signature': key.sign('1', body),
          'x-twilio-email-event-webhook-timestamp': '1',
        },
      });
    await until(
      () => operators.details(stuck.id),
      (details) => details.includes('provider'),
    );
    await until(
      () =>
        operators.close(stuck.id).then(
          () => true,
          () => false,
        ),
      Boolean,
    );
    // Told with their last decisions, should one of them not end.
    await until(
      async () =>
        (
          await sql.query<{ name: string; decided: string[] }>(`
            select u.display_name as name, array(select concat_ws(' ', d.step, d.outcome, d.reason, d.until) from decisions d
              where d.user_id = t.user_id and d.episode = t.episode order by d.at desc, d.id desc limit 6) as decided
            from attention t join users u on u.id = t.user_id where t.state <> 'quiet'`)
        ).rows,
      (open) => open.length === 0,
      40_000,
    );
  };

  it('2.23/21: logs, histories and the ledger hold no text, token, address, number or credential', async () => {
    const places: [place: string, content: string][] = [['the log', output]];
    const { rows: workflows } = await sql.query<{ id: string }>(
      'select workflow_id as id from episodes where workflow_id is not null',
    );
    let sent = 0;
    for (const { id } of workflows) {
      const [, userId = '', episode] = id.split('/');
      const history = await operators.handleOf(userId, Number(episode)).fetchHistory();
      places.push([`the history of ${id}`, historyToJSON(history)]);
      const plain = await decoded(history);
      assert.ok(plain.includes(`"userId":"${userId}"`), 'payloads are read as those see them who have the key');
      // One that began before its reader had read ends without a step.
      if (plain.includes('"result":')) sent += 1;
      places.push([`the payloads of ${id}`, plain]);
    }
    for (const table of [
      'decisions',
      'attempts',
      'attempt_events',
      'provider_reports',
      'episodes',
      'differences',
      'audit',
    ]) {
      const { rows } = await sql.query<{ row: string }>(`select t::text as row from ${table} t`);
      places.push([table, rows.map(({ row }) => row).join('\n')]);
    }
    assert.ok(sent >= 6 && output.includes('a step needs attention'), 'there was something to look through');
    assert.ok(/provider failed|activity failed/.test(output));
    for (const [place, content] of places)
      for (const [what, value] of secrets)
        for (const written of [value, Buffer.from(value).toString('base64'), encodeURIComponent(value)])
          assert.ok(!content.includes(written), `${place} holds a ${what}: ${around(content, written)}`);
  });
  /** Every payload of a history, failures included, decrypted. */
  const decoded = async (history: unknown): Promise<string> => {
    const codec = createCodec(readConfig(app.env).HOMING_PAYLOAD_KEYS);
    const payloads: Payload[] = [];
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
      if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) payloads.push(value as Payload);
      for (const inner of Object.values(value)) collect(inner);
    };
    collect(history);
    const plain = await codec.decode(payloads);
    return plain.map(({ data }) => Buffer.from(data ?? []).toString('utf8')).join('\n');
  };
  const around = (content: string, value: string) => {
    const at = content.indexOf(value);
    return content.slice(Math.max(0, at - 100), at + value.length + 20);
  };

  it('2.23/22: everybody’s every message has one terminal answer', async () => {
    const { rows } = await sql.query<{ messageId: MessageId; userId: UserId }>(`
      select g.id as "messageId", m.user_id as "userId" from messages g
      join members m on m.conversation_id = g.conversation_id where g.kind = 'text'`);
    const outcomes: Record<string, number> = {};
    const deps = {
      db,
      now: () => new Date(),
      newId: () => crypto.randomUUID(),
      publishLive() {},
      workflowUrl: () => null,
    };
    for (const { messageId, userId } of rows) {
      const { terminal }: Why = await explainMessage(deps, { operator: 'test' }, { messageId, userId });
      assert.ok(['sent', 'skipped', 'cancelled', 'failed'].includes(terminal.outcome), JSON.stringify(terminal));
      const name = `${terminal.outcome} ${terminal.reason}`;
      outcomes[name] = (outcomes[name] ?? 0) + 1;
    }
    assert.ok(rows.length >= 30);
    for (const outcome of [
      'sent announced',
      'skipped muted_conversation',
      'skipped message_deleted',
      'skipped own_message',
    ])
      assert.ok(outcome in outcomes, `${outcome} is not among ${JSON.stringify(outcomes)}`);
  });

  it('P11: the recount agrees with the ledger, also after a day', async () => {
    const logged: unknown[] = [];
    const log = { info() {}, warn() {}, error: (...line: unknown[]) => void logged.push(line) };
    let agreed = 0;
    const meter = {
      announced() {},
      reported() {},
      acknowledged() {},
      recounted: (_walk: string, look: { agreed: number }) => void (agreed += look.agreed),
    };
    for (const ms of [hour, day + hour]) {
      const deps = { db, log, meter, now: () => new Date(Date.now() + ms) };
      assert.deepEqual(await recount(deps), {}, JSON.stringify(logged));
    }
    assert.ok(agreed > 10, `${agreed} agreed`);
  });
}).timeout(60_000);
