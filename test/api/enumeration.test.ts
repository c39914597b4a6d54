import assert from 'node:assert/strict';
import { randomBytes, randomUUIDv7 } from 'node:crypto';
import type { Invite } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { type Person, makeGroup, password, registerPeople, registerPerson, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Answer, call, expectStatus } from '../support/rest.ts';

/** How often each question is asked of both: HOMING_PAIRS=2000 for the large run. */
const pairs = Number(process.env.HOMING_PAIRS ?? 200);
const warmUps = 20;
const timeoutMs = pairs * 600;
/** People whose address is proved: each may be asked about a few times only. */
const people = pairs / 2;

/**
 * Whether an address has an account is nobody's business. Of each question an interleaved pair is asked, about an address
 * that somebody has proved and about one that nobody has, in changing order: status and body are the same, and so is the
 * time, by rank and not by the clock.
 */
describe('whether somebody has an account', () => {
  let app: TestApp;
  const known: string[] = [];
  const askers: Person[] = [];
  let asked = 0;
  before(async function () {
    this.timeout(timeoutMs);
    app = await startApp();
    for (let n = 0; n < people; n += 1) known.push((await registerPerson(app)).email);
    await app.database.run('update users set email_verified_at = now()');
  });
  after(() => app.stop());

  const address = () => `${randomBytes(6).toString('hex')}@example.test`;
  const post = (path: string, body: object) => call(app.url, 'POST', path, { body });

  const questions: Record<string, (email: string) => Promise<Answer>> = {
    'signing in': (identifier) => post('/v1/auth/login', { identifier, password: `${password}!` }),
    'signing up': (email) => post('/v1/auth/register', { email, password, displayName: 'Eve' }),
    'forgetting a password': (identifier) => post('/v1/auth/password/forgot', { identifier }),
    'asking for a code': (email) => nextAsker().call('POST', '/v1/me/email', { email }),
  };
  before(async function () {
    this.timeout(timeoutMs);
    const enough = (2 * pairs + warmUps) / limits.codesPerHour;
    while (askers.length < enough) askers.push(await registerPerson(app, 'Eve'));
  });
  /** One person may ask for a few codes only. */
  const nextAsker = () => askers[Math.floor(asked++ / limits.codesPerHour)] ?? assert.fail();

  for (const [what, ask] of Object.entries(questions))
    it(`is not told by ${what}, nor by how long it takes`, async () => {
      const timed = await expectAlike(ask, { known: (n) => known[n % people] ?? '', unknown: address });
      const ratio = median(timed.map(([one]) => one)) / median(timed.map(([, other]) => other));
      assert.ok(ratio > 0.85 && ratio < 1.18, `who is known takes ${ratio} of the time`);
    }).timeout(timeoutMs);
});

/** What is another's and what is nowhere: an id is no secret that stays one, so having heard of it must tell nothing. */
describe('whether something of others is there', () => {
  let app: TestApp;
  let eve: Person;
  let theirs: { conversation: string; message: string; device: string; invite: string };
  before(async () => {
    app = await startApp({ env: { HOMING_RATE_LIMITS: 'read=off write=off invites=off' } });
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    eve = await registerPerson(app);
    const group = await makeGroup(ana as Person, [bob as Person]);
    const { id: message } = await send(ana as Person, group.id, 'hello');
    const device = randomUUIDv7();
    expectStatus(await (ana as Person).call('PUT', `/v1/me/devices/${device}`, { platform: 'android' }), 200);
    theirs = { conversation: group.id, message, device, invite: await revokedInvite(ana as Person, group.id) };
  });
  after(() => app.stop());

  const questions: Record<string, (id: string) => Promise<Answer>> = {
    'a conversation': (id) => eve.call('GET', `/v1/conversations/${id}`),
    'its messages': (id) => eve.call('GET', `/v1/conversations/${id}/messages`),
    'a message': (id) => eve.call('GET', `/v1/conversations/${id}/messages/${theirs.message}`),
    'who has read one': (id) => eve.call('GET', `/v1/conversations/${id}/messages/${theirs.message}/receipts`),
    'its members': (id) => eve.call('GET', `/v1/conversations/${id}/members`),
    'its name, by changing it': (id) => eve.call('PATCH', `/v1/conversations/${id}`, { title: 'Mine' }),
  };
  for (const [what, ask] of Object.entries(questions))
    it(`is not told by asking for ${what}, nor by how long it takes`, async () => {
      await expectAlike(ask, { known: () => theirs.conversation, unknown: randomUUIDv7 });
    }).timeout(timeoutMs);

  it('is not told by asking for a device, nor by how long it takes', async () => {
    const forget = (id: string) => eve.call('DELETE', `/v1/me/devices/${id}`);
    await expectAlike(forget, { known: () => theirs.device, unknown: randomUUIDv7 });
  }).timeout(timeoutMs);

  it('is not told by what is answered to an invitation that was taken back', async () => {
    const accept = (code: string) => eve.call('POST', `/v1/invites/${code}/accept`);
    const unknown = () => randomBytes(theirs.invite.length).toString('base64url').slice(0, theirs.invite.length);
    assert.deepEqual(shapeOf(await accept(theirs.invite)), shapeOf(await accept(unknown())));
  }).timeout(timeoutMs);

  async function revokedInvite(owner: Person, id: string): Promise<string> {
    const body = { clientId: randomUUIDv7() };
    const made = expectStatus(await owner.call<Invite>('POST', `/v1/conversations/${id}/invites`, body), 201);
    expectStatus(await owner.call('DELETE', `/v1/conversations/${id}/invites/${made.id}`), 204);
    return made.code;
  }
});

/** Milliseconds. */
type Times = [known: number, unknown: number];

interface Subjects {
  known: (n: number) => string;
  unknown: () => string;
}

/** The same answers, and of two that are asked one after the other either takes longer as often. Answers with the times. */
async function expectAlike(ask: (subject: string) => Promise<Answer>, { known, unknown }: Subjects): Promise<Times[]> {
  for (let n = 0; n < warmUps; n += 1) await ask(unknown());
  const timed: Times[] = [];
  for (let n = 0; n < pairs; n += 1) timed.push(await pair(ask, [known(n), unknown()], n % 2 === 0));
  const slower = timed.filter(([one, other]) => one > other).length / pairs;
  // Four standard deviations of a fair coin.
  assert.ok(Math.abs(slower - 0.5) < 2 / Math.sqrt(pairs), `in ${slower} of the pairs what is known takes longer`);
  return timed;
}

async function pair(
  ask: (subject: string) => Promise<Answer>,
  asked: readonly [known: string, unknown: string],
  knownFirst: boolean,
): Promise<Times> {
  const answers: (readonly [Answer, number])[] = [];
  for (const one of knownFirst ? asked : asked.toReversed()) answers.push(await timedOf(() => ask(one)));
  const [one, other] = knownFirst ? answers : answers.toReversed();
  assert.ok(one && other);
  assert.deepEqual(shapeOf(one[0]), shapeOf(other[0]));
  return [one[1], other[1]];
}

async function timedOf(work: () => Promise<Answer>): Promise<readonly [Answer, number]> {
  const began = performance.now();
  return [await work(), performance.now() - began];
}

/** All of an answer that is not made anew for each: texts stand as they are, of what is random only that it is there. */
function shapeOf({ status, body }: Answer): unknown {
  const made = new Set([
    'id',
    'requestId',
    'createdAt',
    'accessToken',
    'accessTokenExpiresAt',
    'refreshToken',
    'address',
  ]);
  const text = JSON.stringify(body, (name, value: unknown) => (made.has(name) ? typeof value : value));
  return { status, body: text };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
