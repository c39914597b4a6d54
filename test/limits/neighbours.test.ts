import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { rateLimits } from '../../contracts/rate-limits.ts';
import { type Person, makeGroup, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { call } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';

const seconds = 6;
const { points, seconds: window } = rateLimits.send;
/** A hundred times what one person may send. */
const floodPerSecond = (100 * points) / window;
const turnMs = 20;

describe('P29: one person at a hundred times their limit, by REST and sockets', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({ env: { HOMING_RATE_LIMITS: 'register=off sign-in=off connect-address=off connect=off' } });
  });
  after(() => app.stop());

  it('is refused, and cut off where they do not stop; nobody else is refused anything', async () => {
    const [eve, ana, bob] = await registerPeople(app, 'Eve', 'Ana', 'Bob');
    const [hers, theirs] = [await makeGroup(eve, []), await makeGroup(ana, [bob])];
    const neighbours = await Promise.all([ana, bob].map(({ token }) => connect(app.url, { token })));
    const quiet = await live(neighbours, theirs.id, seconds);
    const flooding = flood(eve, hers.id);
    const beside = await live(neighbours, theirs.id, seconds);
    const { asked, stored } = await flooding;
    assert.deepEqual([quiet.refused, beside.refused], [0, 0]);
    assert.ok(asked > 10 * stored, `${stored} of ${asked} were stored`);
    const windows = Math.ceil(seconds / window) + 1;
    assert.ok(stored <= windows * points * 1.05, `${stored} were stored in ${windows} windows`);
    for (const socket of neighbours) socket.close();
    process.stdout.write(
      `      ${stored} of ${asked} were stored; others' p99 ${beside.p99.toFixed(1)} ms beside it, ${quiet.p99.toFixed(1)} ms before\n`,
    );
  }).timeout(60_000);

  /** Two people who write as people do, and how long their sends take. */
  async function live(sockets: readonly TestSocket[], conversationId: string, forSeconds: number) {
    const took: number[] = [];
    let refused = 0;
    const until = performance.now() + forSeconds * 1_000;
    while (performance.now() < until) {
      const due = sleep(300);
      await Promise.all(
        sockets.map(async (socket) => {
          const began = performance.now();
          const { ok } = await socket.ask('message.send', { conversationId, message: newMessage() });
          took.push(performance.now() - began);
          if (!ok) refused += 1;
        }),
      );
      await due;
    }
    return { refused, p99: took.sort((a, b) => a - b)[Math.floor(took.length * 0.99)] ?? 0 };
  }

  /** By both doors, and connected anew whenever the socket is cut off. */
  async function flood(eve: Person, conversationId: string) {
    let [asked, stored] = [0, 0];
    const until = performance.now() + seconds * 1_000;
    const note = (ok: boolean) => void (stored += ok ? 1 : 0);
    let socket = await connect(app.url, { token: eve.token });
    const answers: Promise<void>[] = [];
    while (performance.now() < until) {
      const due = sleep(turnMs);
      const perTurn = (floodPerSecond * turnMs) / 1_000;
      if (!socket.raw.connected) socket = await connect(app.url, { token: eve.token });
      for (let n = 0; n < perTurn; n += 1) {
        asked += 1;
        answers.push(
          n % 10 === 0
            ? post(eve, conversationId).then(note)
            : // One that is cut off answers nothing.
              socket.ask('message.send', { conversationId, message: newMessage() }).then(
                ({ ok }) => note(ok),
                () => undefined,
              ),
        );
      }
      await due;
    }
    socket.close();
    await Promise.race([Promise.all(answers), sleep(2_000)]);
    return { asked, stored };
  }

  const newMessage = () => ({ clientId: randomUUIDv7(), text: 'hello' });
  const post = async ({ token }: Person, conversationId: string) =>
    (await call(app.url, 'POST', `/v1/conversations/${conversationId}/messages`, { token, body: newMessage() }))
      .status === 201;
});
