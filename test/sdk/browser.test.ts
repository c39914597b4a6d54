import assert from 'node:assert/strict';
import type { Message } from '../../contracts/entities/index.ts';
import type { HomingError } from '../../sdk/index.ts';
import { type Person, makeGroup, password, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Browser, type Page, startBrowser } from '../support/browser.ts';
import { type Network, networkTo } from '../support/proxy.ts';
import { expectStatus } from '../support/rest.ts';
import { type Site, startSite } from '../support/site.ts';
import { until } from '../support/until.ts';
import type { PageGlobals } from './page.ts';

describe('the client in a browser', () => {
  let site: Site;
  let app: TestApp;
  let network: Network;
  let browser: Browser;
  let page: Page<PageGlobals>;
  let people: { ana: Person; bob: Person };
  let group: string;
  before(async function () {
    // A machine without a browser fetches one, once.
    this.timeout(300_000);
    browser = await startBrowser();
    site = await startSite('test/sdk/page.ts');
    app = await startApp({ env: { HOMING_ALLOWED_ORIGINS: site.url } });
    network = await networkTo(app.url);
  });
  beforeEach(async () => {
    network.comeUp();
    const [ana, bob] = await registerPeople(app, 'Ana', 'Bob');
    people = { ana, bob };
    group = (await makeGroup(ana, [bob])).id;
    page = await browser.openPage();
    await page.open(`${site.url}/?api=${network.url}`);
  });
  afterEach(() => page?.close());
  after(async () => {
    await browser?.close();
    await network?.close();
    await app?.stop();
    await site?.close();
  });

  const signIn = () =>
    page.run(
      async ({ client }, identifier, secret) => {
        await client.signIn({ identifier, password: secret });
        await client.start();
      },
      ...([people.ana.email, password] as const),
    );
  const shown = (id: string) =>
    page.run(({ client }, one) => client.conversation(one)?.messages.map(({ text }) => text), id);
  const stored = async () => {
    const answer = await people.bob.call<{ items: Message[] }>('GET', `/v1/conversations/${group}/messages`);
    return expectStatus(answer, 200).items.map(({ text }) => text);
  };
  const isKept = (prefix: 'outbox/' | 'conversations/') =>
    until(
      () => page.run(({ kept }, one) => kept(one), prefix),
      (count) => count > 0,
    );
  const goDown = async () => {
    network.goDown();
    await page.run(({ client, holds }) => holds(() => client.connection.state === 'waiting'));
  };

  it('when somebody signs in on a page of an allowed origin, then they send, and hear what is sent, live', async () => {
    await signIn();
    await page.run(async ({ client }, id) => void (await client.send(id, { text: 'from the page' }).stored), group);
    assert.deepEqual(await stored(), ['from the page']);
    await send(people.bob, group, 'to the page');
    await page.run(({ client, holds }, id) => holds(() => client.conversation(id)?.messages.length === 2), group);
    assert.deepEqual(await shown(group), ['from the page', 'to the page']);
    assert.deepEqual(page.complaints, []);
  });

  it('when the network is away for a while, then what was written on both sides meanwhile is there afterwards', async () => {
    await signIn();
    await goDown();
    await page.run(({ client }, id) => void client.send(id, { text: 'written offline' }), group);
    await send(people.bob, group, 'while the page was away');
    network.comeUp();
    await page.run(({ client, holds }, id) => holds(() => client.conversation(id)?.messages.length === 2), group);
    assert.deepEqual((await shown(group))?.sort(), ['while the page was away', 'written offline']);
    assert.deepEqual((await stored()).sort(), ['while the page was away', 'written offline']);
  });

  it('when the page is loaded anew while the network is away, then it knows its person and sends what waited, once', async () => {
    await signIn();
    await page.run(async ({ client }, id) => void (await client.send(id, { text: 'before' }).stored), group);
    await isKept('conversations/');
    await goDown();
    await page.run(({ client }, id) => void client.send(id, { text: 'kept over the reload' }), group);
    await isKept('outbox/');
    await page.reload();
    assert.equal(await page.run(async ({ client }) => (await client.resume())?.id), people.ana.id);
    assert.deepEqual(
      await page.run(({ client }, id) => client.conversation(id)?.outgoing.map(({ content }) => content.text), group),
      ['kept over the reload'],
    );
    network.comeUp();
    await page.run(({ client }) => client.start());
    await page.run(({ client, holds }, id) => holds(() => client.conversation(id)?.outgoing.length === 0), group);
    assert.deepEqual(await shown(group), ['before', 'kept over the reload']);
    assert.deepEqual(await stored(), ['before', 'kept over the reload']);
    assert.equal(await page.run(({ kept }) => kept('outbox/')), 0);
  });

  it('when the page is of an origin that is not allowed, then it is told nothing', async () => {
    const other = await startSite('test/sdk/page.ts');
    try {
      await page.open(`${other.url}/?api=${network.url}`);
      const refusal = await page.run(
        ({ client }, identifier, secret) =>
          client.signIn({ identifier, password: secret }).catch(({ code }: HomingError) => code),
        ...([people.ana.email, password] as const),
      );
      assert.equal(refusal, 'network');
      assert.match(page.complaints.join(), /blocked by CORS policy/);
    } finally {
      await other.close();
    }
  });

  it('is loaded by its own modules, plain values of the contracts, and one package', () => {
    const foreign = [...site.served.keys()].filter((path) => !path.startsWith('sdk/'));
    assert.deepEqual(foreign.sort(), ['contracts/limits.ts', 'socket.io-client', 'test/sdk/page.ts']);
    for (const [path, code] of site.served) assert.doesNotMatch(code, /['"`]node:|\brequire\(/, path);
  });
});
