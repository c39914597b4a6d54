import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type Duplex, PassThrough } from 'node:stream';
import { type Admission, admissionLimits, admitSlowly } from '../../realtime/admission.ts';
import type { Io } from '../../realtime/io.ts';
import { type Person, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { holdNext } from '../support/held.ts';
import { openRaw } from '../support/raw-socket.ts';
import { expectStatus } from '../support/rest.ts';
import { until } from '../support/until.ts';
import { within } from '../support/within.ts';

describe('who connects', () => {
  let app: TestApp;
  let ana: Person;
  before(async () => {
    app = await startApp();
    [ana] = await registerPeople(app, 'Ana');
  });
  after(() => app.stop());

  const moreThanAtOnce = 2 * admissionLimits.greetings;
  const signIn = async (token = ana.token) => {
    const socket = await openRaw(app.url);
    socket.send(`40${JSON.stringify({ token })}`);
    return socket;
  };
  const isGreeted = async () => {
    const socket = await signIn();
    assert.ok(await within('the greeting', socket.until('42["hello"')));
    socket.close();
  };

  it('is greeted while others have opened connections and say nothing', async () => {
    const silent = await Promise.all(Array.from({ length: moreThanAtOnce }, () => openRaw(app.url)));
    await isGreeted();
    for (const socket of silent) socket.close();
  });

  it('is greeted after others have left while they were being greeted', async () => {
    const connections = () => app.processes[0]?.runtime.io.engine.clientsCount;
    for (let n = 0; n < moreThanAtOnce; n += 1) {
      const held = holdNext(app.processes[0], 'is-session-open');
      const leaving = await signIn();
      await within('its greeting begins', held.begun);
      leaving.close();
      await until(
        async () => connections(),
        (open) => open === 0,
      );
      held.release();
    }
    await isGreeted();
    // What never comes is to be said by its name before the suite's own limit ends the test.
  }).timeout(60_000);

  it('is greeted after others were refused', async () => {
    const [bob] = await registerPeople(app, 'Bob');
    expectStatus(await bob.call('POST', '/v1/auth/logout'), 204);
    const refused = await Promise.all(Array.from({ length: moreThanAtOnce }, () => signIn(bob.token)));
    for (const socket of refused) assert.match((await socket.until('44')) ?? '', /session_revoked/);
    await isGreeted();
    // Not because they are gone.
    assert.ok(refused.every(({ isOpen }) => isOpen));
    for (const socket of refused) socket.close();
  });

  it('is greeted however many come at once', async () => {
    const all = await Promise.all(Array.from({ length: 4 * moreThanAtOnce }, () => signIn()));
    for (const socket of all) assert.ok(await socket.until('42["hello"'));
    for (const socket of all) socket.close();
  });
});

describe('the admission of connections', () => {
  const turns = async (count = 3) => {
    for (let n = 0; n < count; n += 1) await new Promise(setImmediate);
  };
  /** An engine that only writes down what begins. */
  const engine = () => {
    const begun: Duplex[] = [];
    const handleUpgrade = (_request: unknown, socket: Duplex) => void begun.push(socket);
    const io = { engine: { handleUpgrade } };
    const admission = admitSlowly(io as unknown as Io);
    const upgrade = () => {
      const socket = new PassThrough();
      io.engine.handleUpgrade(undefined, socket);
      return socket;
    };
    return { begun, admission, upgrade };
  };
  const greetAsManyAsMay = (admission: Admission) =>
    Array.from({ length: admissionLimits.greetings }, () => admission.greeting(new EventEmitter()));

  it('begins the next when somebody was greeted, and not before', async () => {
    const { begun, admission, upgrade } = engine();
    const [greeted] = greetAsManyAsMay(admission);
    const socket = upgrade();
    await turns();
    assert.deepEqual(begun, []);
    greeted?.();
    await turns();
    assert.deepEqual(begun, [socket]);
  });

  it('passes over whoever has gone while they waited', async () => {
    const { begun, admission, upgrade } = engine();
    const [greeted] = greetAsManyAsMay(admission);
    upgrade().destroy();
    const socket = upgrade();
    greeted?.();
    await turns();
    assert.deepEqual(begun, [socket]);
  });

  it('closes one more than may wait', async () => {
    const { admission, upgrade } = engine();
    greetAsManyAsMay(admission);
    const waiting = Array.from({ length: admissionLimits.waiting }, upgrade);
    assert.equal(waiting.filter(({ destroyed }) => destroyed).length, 0);
    assert.equal(upgrade().destroyed, true);
  });
});
