import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { freePort, freePorts } from '../../dev/services/index.ts';

describe('free ports', () => {
  it('prefers the one that is asked for, and takes the next where it is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    assert.ok(address && typeof address === 'object');
    try {
      assert.ok((await freePort(address.port)) > address.port);
    } finally {
      taken.close();
    }
    assert.equal(await freePort(address.port), address.port);
  });

  it('never gives two of one call the same port', async () => {
    const { a, b, c } = await freePorts({ a: undefined, b: undefined, c: undefined });
    assert.equal(new Set([a, b, c]).size, 3);
  });
});
