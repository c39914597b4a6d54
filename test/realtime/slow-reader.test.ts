import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { SyncResponse } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { outletLimits } from '../../realtime/outlet.ts';
import { makeGroup, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { expectStatus } from '../support/rest.ts';
import { type TestSocket, connect } from '../support/socket.ts';

describe('a reader that does not read', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  /** The TCP connection below a client's socket. */
  const tcpOf = (socket: TestSocket) =>
    (socket.raw.io.engine as unknown as { transport: { ws: { _socket: Socket } } }).transport.ws._socket;

  it('is disconnected at a limit, the others go on, and it catches up by version', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const group = await makeGroup(ana, [bob, cleo]);
    const [slow, quick] = [await connect(app.url, { token: bob.token }), await connect(app.url, { token: cleo.token })];
    tcpOf(slow).pause();
    // What the kernel holds for a connection comes on top of what the server does.
    const enough = Math.ceil((4 * outletLimits.unsentBytes) / limits.messageTextLength);
    let last = 0;
    for (let n = 0; n < enough; n += 100) {
      const sent = await Promise.all(
        Array.from({ length: 100 }, () => send(ana, group.id, 'x'.repeat(limits.messageTextLength))),
      );
      last = Math.max(...sent.map(({ version }) => version));
    }
    await quick.heard('event', ({ version }) => version === last);
    const closed = once(slow.raw as never, 'disconnect');
    tcpOf(slow).resume();
    await closed;
    assert.ok(!slow.told.event.some(({ version }) => version === last), 'it was cut off before the end');
    const answer = await bob.call<SyncResponse>('POST', '/v1/sync', { known: [[group.id, 1]] });
    assert.equal(expectStatus(answer, 200).changes[0]?.version, last);
    quick.close();
  }).timeout(60_000);
});
