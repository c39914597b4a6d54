import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { clientAddress, networkOf } from '../../platform/limits/address.ts';
import { addressPaths, askWithForgedAddress } from '../../platform/limits/prove-address.ts';
import { freePort } from '../../dev/services/index.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { forwarderTo } from '../support/forwarder.ts';
import { call, expectStatus } from '../support/rest.ts';

describe('the address that a request comes from', () => {
  const of = (hops: number, forwarded?: string) =>
    clientAddress(
      {
        socket: { remoteAddress: '10.0.0.1' } as Socket,
        headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
      },
      hops,
    );

  for (const [hops, forwarded, expected] of [
    [0, 'forged', '10.0.0.1'],
    [1, 'forged, real', 'real'],
    [1, 'forged, forged,real ', 'real'],
    [2, 'forged, real, 10.0.0.2', 'real'],
    [2, 'real, 10.0.0.2', 'real'],
    [2, '10.0.0.2', '10.0.0.2'],
    [1, undefined, '10.0.0.1'],
    [1, ' , ', '10.0.0.1'],
  ] as const) {
    it(`behind ${hops} proxies that tell "${forwarded}" is ${expected}`, () =>
      assert.equal(of(hops, forwarded), expected));
  }

  it('counts with all others of its household, and with no neighbour', () => {
    const home = networkOf('2001:db8:0:ff00::1');
    for (const same of ['2001:db8:0:ffff:1:2:3:4', '2001:0DB8::FF12:a:b:c:d', '2001:db8:0:ff00::1%eth0'])
      assert.equal(networkOf(same), home, same);
    for (const other of ['2001:db8:0:fe00::1', '2001:db8:1:ff00::1', '::1', '2001:db8::1'])
      assert.notEqual(networkOf(other), home, other);
    assert.equal(networkOf('::ffff:192.0.2.1'), networkOf('192.0.2.1'));
    assert.notEqual(networkOf('192.0.2.1'), networkOf('192.0.2.2'));
  });
});

describe('a node behind proxies', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({ processes: [] });
  });
  after(() => app.stop());

  /** Starts a node behind so many proxies, which believes so many. */
  async function behind(proxies: number, trusted: number, role: Door) {
    const port = await freePort();
    const chain: Awaited<ReturnType<typeof forwarderTo>>[] = [];
    let url = `http://127.0.0.1:${port}`;
    for (let n = 0; n < proxies; n += 1) {
      const proxy = await forwarderTo(url);
      chain.push(proxy);
      url = proxy.url;
    }
    const env = { PORT: String(port), HOMING_TRUSTED_PROXIES: String(trusted), HOMING_PUBLIC_URL: url };
    const started = app.start([role], env);
    return { url, started, close: () => Promise.all(chain.map((proxy) => proxy.close())) };
  }

  for (const role of Object.keys(addressPaths) as Door[])
    for (const proxies of [0, 1, 2]) {
      it(`with ${role} alone, that believes the ${proxies} that there are does not believe an address that was made up`, async () => {
        const { url, started, close } = await behind(proxies, proxies, role);
        await started;
        const headers = { 'x-forwarded-for': '203.0.113.7, 203.0.113.8' };
        const answer = await call<{ address: string }>(url, 'GET', addressPaths[role], { headers });
        assert.equal(expectStatus(answer, 200).address.replace('::ffff:', ''), '127.0.0.1');
        assert.equal(await askWithForgedAddress(url, addressPaths[role]), 'own');
        await close();
      });

      it(`with ${role} alone, that believes ${proxies + 1} where there are ${proxies} does not start`, async () => {
        const { started, close } = await behind(proxies, proxies + 1, role);
        await assert.rejects(started, /HOMING_TRUSTED_PROXIES is more than the proxies/);
        await close();
      });
    }

  it('starts where its public address does not answer yet', async () => {
    const env = { HOMING_TRUSTED_PROXIES: '1', HOMING_PUBLIC_URL: `http://127.0.0.1:${await freePort()}` };
    const { port } = await app.start(['api'], env);
    assert.equal((await call(`http://127.0.0.1:${port}`, 'GET', '/livez')).status, 200);
  });
});

type Door = keyof typeof addressPaths;
