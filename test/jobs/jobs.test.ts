import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { AuditEntry, Job, JobAnswer, JobBulkAnswer, JobDetails } from '../../contracts/entities/index.ts';
import type { Readiness } from '../../contracts/rest/about.ts';
import { type Person, registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Door, by, byEachDoor } from '../support/doors.ts';
import { inbox, rule, waitFor } from '../support/inbox.ts';
import { patientLadder, staff, stuckText } from '../support/jobs.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';

const uiUrl = 'https://temporal.example.test';

byEachDoor('jobs that need a person', (door: Door) => {
  let app: TestApp;
  let entrance: ReturnType<typeof by>;
  let db: pg.Client;
  let olga: Person;
  before(async function () {
    this.timeout(60_000);
    app = await startApp({
      processes: [['api', 'realtime'], ['relay'], ['worker']],
      env: { HOMING_TEMPORAL_UI_URL: uiUrl, HOMING_LADDER: patientLadder },
    });
    entrance = by(door, app);
    db = new pg.Client(app.database.url);
    await db.connect();
    olga = await staff(entrance, db, 'operator');
  });
  after(async () => {
    await db.end();
    await app.stop();
  });

  const list = async (query = '') =>
    expectStatus(await olga.call<{ items: Job[]; nextCursor: string | null }>('GET', `/v1/admin/jobs${query}`), 200);
  const listed = (id: string, query = '') =>
    until(
      () => list(query),
      ({ items }) => items.some((job) => job.id === id),
    );
  const show = async (id: string) =>
    expectStatus(await olga.call<JobDetails>('GET', `/v1/admin/jobs/${encodeURIComponent(id)}`), 200);
  const ask = (id: string, action: string, body: object = {}, who = olga) =>
    who.call<JobAnswer>('POST', `/v1/admin/jobs/${id}/${action}`, body);
  const bulk = (body: object) => olga.call<JobBulkAnswer>('POST', '/v1/admin/jobs/bulk', body);
  const ended = (id: string) =>
    until(
      () => show(id),
      ({ state }) => state === 'ended',
    );

  it('are found by reason, provider and age, and shown with what happened and what mends it', async () => {
    const { id, bob } = await stuckText(app, entrance);
    const { items } = await listed(id, '?reason=sms_outcome_unknown&provider=twilio&olderThan=0');
    const job = items.find((one) => one.id === id);
    assert.deepEqual(
      [job?.kind, job?.state, job?.needsAttention, job?.reason, job?.providers, job?.userId],
      ['escalateUnread', 'running', true, 'sms_outcome_unknown', ['twilio'], bob.id],
    );
    assert.ok(
      job?.url?.startsWith(`${uiUrl}/namespaces/homing-test/workflows/attention%2F${bob.id}%2F1/`),
      `${job?.url}`,
    );
    for (const query of ['?reason=provider_failing', '?provider=fcm', '?olderThan=5']) {
      assert.ok(!(await list(query)).items.some((one) => one.id === id), query);
    }
    const shown = await show(id);
    assert.deepEqual(shown.remedies, ['retry', 'skip', 'snooze', 'close']);
    assert.match(shown.details ?? '', /SMS needs attention/);
    assert.equal((await show(id.replaceAll('.', '/'))).id, id, 'the id of the Temporal UI is taken, too');
    expectStatus(await ask(id, 'close'), 200);
  }).timeout(120_000);

  it('are mended by retry; the audit tells by whom', async () => {
    const { id, bob, phone } = await stuckText(app, entrance);
    const answer = expectStatus(await ask(id, 'retry', { note: 'the number is right' }), 200);
    assert.deepEqual([answer.id, answer.message], [id, 'sms is tried again now']);
    await waitFor(app, { to: phone });
    const after = await ended(id);
    assert.deepEqual([after.needsAttention, after.remedies, after.details], [false, [], null]);
    const admin = await staff(entrance, db, 'admin');
    const audited = expectStatus(await admin.call<{ items: AuditEntry[] }>('GET', '/v1/admin/audit'), 200).items;
    const entry = audited.find(({ action, jobId }) => action === 'retry_job' && jobId === id);
    assert.deepEqual([entry?.by, entry?.userId], [{ userId: olga.id }, bob.id]);
  }).timeout(120_000);

  it('a request that comes twice is answered twice and carried out once, also after the end', async () => {
    const { id, phone } = await stuckText(app, entrance);
    const requestId = randomUUID();
    const [one, other] = await Promise.all([ask(id, 'retry', { requestId }), ask(id, 'retry', { requestId })]);
    assert.deepEqual(expectStatus(one, 200), expectStatus(other, 200));
    assert.equal(one.body.requestId, requestId);
    await waitFor(app, { to: phone });
    await ended(id);
    assert.deepEqual(expectStatus(await ask(id, 'retry', { requestId }), 200), one.body);
    assert.equal((await inbox(app, { to: phone })).length, 1);
    expectProblem(await ask(id, 'retry'), 409, 'job_ended');
    expectProblem(await ask(id, 'close'), 409, 'job_ended');
  }).timeout(120_000);

  it('what makes no sense for a job is refused in words, and changes nothing', async () => {
    const { id } = await stuckText(app, entrance);
    expectProblem(await ask(id, 'retry', { channel: 'push' }), 409, 'nothing_to_mend');
    assert.deepEqual(expectProblem(await ask(id, 'snooze'), 400, 'invalid_input'), ['minutes']);
    assert.deepEqual(expectProblem(await ask(id, 'snooze', { minutes: 10_081 }), 400, 'invalid_input'), ['minutes']);
    assert.match(expectStatus(await ask(id, 'snooze', { minutes: 10_080 }), 200).message, /^sms is tried again at/);
    assert.deepEqual((await show(id)).reason, 'sms_outcome_unknown');
    const nobody = `attention.${randomUUID()}.1`;
    expectProblem(await ask(nobody, 'retry'), 404, 'not_found');
    expectProblem(await olga.call('GET', `/v1/admin/jobs/${nobody}`), 404, 'not_found');
    expectStatus(await ask(id, 'skip'), 200);
    await ended(id);
  }).timeout(120_000);

  it('a job that takes no requests says so', async () => {
    await rule(app, { provider: 'sendgrid', to: '/^unlucky\\./', action: { status: 503 } });
    const person = await registerPerson(entrance, 'Unlucky');
    const code = await until(
      async () =>
        (
          await db.query<{ id: string }>('select id from verifications where user_id = $1 and sent_at is not null', [
            person.id,
          ])
        ).rows[0],
      (row) => row !== undefined,
    );
    expectProblem(await ask(`verification.${code?.id}`, 'retry'), 409, 'nothing_to_mend');
  }).timeout(120_000);

  it('are for operators: support is refused, whether or not there is such a job', async () => {
    const sue = await staff(entrance, db, 'support');
    const id = `attention.${randomUUID()}.1`;
    expectProblem(await sue.call('GET', '/v1/admin/jobs'), 403, 'forbidden');
    expectProblem(await sue.call('GET', `/v1/admin/jobs/${id}`), 403, 'forbidden');
    expectProblem(await ask(id, 'close', {}, sue), 403, 'forbidden');
    const everything = { action: 'close', where: {} };
    expectProblem(await sue.call('POST', '/v1/admin/jobs/bulk', everything), 403, 'forbidden');
  });

  it('in bulk: a dry run asks nothing, the run asks each once, at its rate, page after page', async () => {
    const texts = [];
    for (let n = 0; n < 3; n += 1) texts.push(await stuckText(app, entrance));
    const ids = texts.map(({ id }) => id);
    for (const id of ids) await listed(id, '?reason=sms_outcome_unknown');
    const where = { reason: 'sms_outcome_unknown', provider: 'twilio' };
    const dry = expectStatus(await bulk({ action: 'retry', where, dryRun: true }), 200);
    assert.deepEqual([dry.matched, dry.done, new Set(dry.wouldAsk)], [3, 0, new Set(ids)]);
    for (const { phone } of texts) assert.deepEqual(await inbox(app, { to: phone }), []);

    // Somebody else is faster with one of them.
    const request = { action: 'retry', where, limit: 2, rate: 4, note: 'Twilio is back' };
    const begun = performance.now();
    const first = expectStatus(await bulk(request), 200);
    assert.ok(performance.now() - begun >= 250, 'the second waits for its turn');
    assert.deepEqual([first.done, first.failures, first.stopped], [2, [], null]);
    assert.ok(first.nextCursor);
    const second = expectStatus(await bulk({ ...request, cursor: first.nextCursor }), 200);
    assert.deepEqual([second.done + second.passed, second.failures], [1, []]);
    for (const { id, phone } of texts) {
      await waitFor(app, { to: phone });
      await ended(id);
      assert.equal((await inbox(app, { to: phone })).length, 1);
    }
    const stranger = { ...request, where: { provider: 'fcm' }, cursor: first.nextCursor };
    assert.deepEqual(expectProblem(await bulk(stranger), 400, 'invalid_input'), ['cursor']);
  }).timeout(120_000);

  it('in bulk: what was mended meanwhile is passed over', async () => {
    const { id } = await stuckText(app, entrance);
    await listed(id, '?reason=sms_outcome_unknown');
    const where = { reason: 'sms_outcome_unknown' };
    expectStatus(await ask(id, 'close'), 200);
    // The index may still list it.
    const answer = expectStatus(await bulk({ action: 'retry', where }), 200);
    assert.deepEqual([answer.done, answer.failures], [0, []]);
  }).timeout(120_000);

  it('in bulk: its limits are told by the fields that pass them', async () => {
    const faults = async (body: object) => expectProblem(await bulk({ where: {}, ...body }), 400, 'invalid_input');
    assert.deepEqual(await faults({ action: 'retry', rate: 21 }), ['rate']);
    assert.deepEqual(await faults({ action: 'retry', limit: 201 }), ['limit']);
    assert.deepEqual(await faults({ action: 'snooze' }), ['minutes']);
    assert.deepEqual(await faults({ action: 'retry', minutes: 5 }), ['minutes']);
    assert.deepEqual(await faults({ action: 'retry', where: { reason: 'bad_luck' } }), ['where.reason']);
    expectStatus(
      await bulk({ action: 'retry', where: { olderThan: 525_600 }, rate: 20, limit: 200, dryRun: true }),
      200,
    );
  });
});

describe('jobs while Temporal or its workers are away', () => {
  let app: TestApp;
  let db: pg.Client;
  const begin = async (...options: Parameters<typeof startApp>) => {
    app = await startApp(...options);
    db = new pg.Client(app.database.url);
    await db.connect();
    return staff(app, db, 'operator');
  };
  afterEach(async () => {
    await db.end();
    await app.stop();
  });

  it('the API serves; a job is refused with the remedy, and in bulk the rest is kept', async () => {
    const olga = await begin({ env: { TEMPORAL_ADDRESS: '127.0.0.1:9' } });
    const { ready } = expectStatus(await call<Readiness>(app.url, 'GET', '/readyz'), 200);
    assert.equal(ready, true);
    const answer = await olga.call<{ detail?: string }>('GET', '/v1/admin/jobs');
    expectProblem(answer as never, 503, 'unavailable');
    assert.match(answer.body.detail ?? '', /Try again when it is back/);
    expectProblem(await olga.call('POST', `/v1/admin/jobs/attention.${olga.id}.1/retry`, {}), 503, 'unavailable');
  }).timeout(120_000);

  it('no worker: the outcome is unknown; the same request is carried out once when one comes, however often it is made', async () => {
    const olga = await begin({ processes: [['api', 'realtime'], ['relay']], env: { HOMING_LADDER: patientLadder } });
    const worker = await app.start(['worker']);
    const { id, phone } = await stuckText(app, app);
    await worker.stop('it is deployed anew');
    const requestId = randomUUID();
    const retry = () => olga.call<JobAnswer>('POST', `/v1/admin/jobs/${id}/retry`, { requestId });
    expectProblem((await retry()) as never, 503, 'outcome_unknown');
    await until(
      async () => expectStatus(await olga.call<{ items: Job[] }>('GET', '/v1/admin/jobs'), 200).items,
      (items) => items.length === 1,
    );
    const body = { action: 'retry', where: {} };
    const stopped = expectStatus(await olga.call<JobBulkAnswer>('POST', '/v1/admin/jobs/bulk', body), 200);
    assert.deepEqual([stopped.done, stopped.stopped?.code], [0, 'outcome_unknown']);
    assert.ok(stopped.nextCursor);
    await app.start(['worker']);
    expectStatus(await retry(), 200);
    await waitFor(app, { to: phone });
    assert.equal((await inbox(app, { to: phone })).length, 1);
  }).timeout(120_000);
});
