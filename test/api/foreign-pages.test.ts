import assert from 'node:assert/strict';
import pg from 'pg';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { changedTables, fingerprints } from '../access/fingerprint.ts';
import { inputOf } from '../access/ask.ts';
import { type Person, makeGroup, password, registerPeople, send } from '../factories/person.ts';
import { type Browser, type Page, startBrowser } from '../support/browser.ts';
import { type Elsewhere, Browser as OwnBrowser, somebody, startElsewhere, visit } from '../support/elsewhere.ts';
import { type ForeignSite, startForeignSite } from '../support/foreign-site.ts';
import { type Seen, seenRequests } from '../support/seen-requests.ts';
import { type Site, startSite } from '../support/site.ts';
import { until } from '../support/until.ts';
import type { PageGlobals } from '../sdk/page.ts';

/** As much of a browser's page as an attack uses. */
interface Anything {
  document: {
    body: { append(...nodes: Element[]): void };
    createElement(name: string): Element;
  };
  navigator: { sendBeacon(url: string, body: object): boolean };
  location: { origin: string };
  WebSocket: new (url: string) => Record<'onopen' | 'onerror', () => void>;
  fetch: typeof fetch;
  Blob: typeof Blob;
  FormData: typeof FormData;
}
interface Element {
  append(...nodes: Element[]): void;
  remove(): void;
  submit(): void;
  onload: () => void;
  onerror: () => void;
  contentDocument?: unknown;
  [attribute: string]: unknown;
}

interface Target {
  url: string;
  method: string;
  json: string;
}

/**
 * What a page does to one address: everything that needs nobody's leave, and the one thing that does. Answers with what it
 * could read of any answer.
 */
async function attack(globals: Anything, { url, method, json }: Target): Promise<string[]> {
  const { document, navigator, fetch: ask, Blob: Bytes, FormData: Form } = globals;
  const read: string[] = [];
  const tell = (way: string) => (answer: { type: string; status: number }) =>
    answer.type === 'opaque' || answer.type === 'opaqueredirect' ? undefined : read.push(`${way}: ${answer.status}`);
  const refused = () => undefined;
  const loaded = (tag: string, attributes: object) =>
    new Promise<void>((resolve) => {
      const element = Object.assign(document.createElement(tag), attributes);
      element.onload = () => {
        if (tag === 'iframe' && element.contentDocument) read.push('a frame');
        if (tag === 'img' || tag === 'script') read.push(`a ${tag}`);
        element.remove();
        resolve();
      };
      element.onerror = () => {
        element.remove();
        resolve();
      };
      document.body.append(element);
    });
  const submit = (enctype: string) =>
    new Promise<void>((resolve) => {
      const name = `frame-${enctype}-${String(read.length)}`;
      const frame = Object.assign(document.createElement('iframe'), { name });
      const form = Object.assign(document.createElement('form'), {
        action: url,
        target: name,
        enctype,
        method: 'post',
      });
      // As text/plain the two together are JSON: the oldest trick there is.
      const field = Object.assign(document.createElement('input'), {
        name: `${json.slice(0, -1) || '{'},"x":"`,
        value: '"}',
      });
      form.append(field);
      document.body.append(frame, form);
      frame.onload = () => {
        if (frame.contentDocument) read.push('a form');
        frame.remove();
        form.remove();
        resolve();
      };
      form.submit();
    });
  const form = () => {
    const body = new Form();
    body.append('body', json);
    return body;
  };
  const credentials = 'include' as const;
  const bodies =
    method === 'GET' ? [undefined] : [json, form(), new URLSearchParams({ body: json }), new Bytes([json])];
  const verb = method === 'GET' ? 'GET' : 'POST';
  for (const mode of ['no-cors', 'cors'] as const)
    for (const body of bodies)
      await ask(url, { method: verb, mode, credentials, redirect: 'manual', ...(body ? { body } : {}) }).then(
        tell(mode),
        refused,
      );
  await ask(url, { method: 'HEAD', mode: 'no-cors', credentials, redirect: 'manual' }).then(tell('HEAD'), refused);
  const headers = { 'content-type': 'application/json' };
  const asMeant = method === 'GET' ? { headers } : { headers, body: json };
  await ask(url, { method, credentials, redirect: 'manual', ...asMeant }).then(tell('as it is meant'), refused);
  if (method !== 'GET') {
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']) await submit(type);
    for (const type of ['text/plain', 'application/json']) navigator.sendBeacon(url, new Bytes([json], { type }));
  }
  for (const tag of ['img', 'script', 'iframe']) await loaded(tag, { src: url });
  await loaded('link', { rel: 'prefetch', href: url });
  return read;
}

const all = Object.values(endpoints) as Endpoint[];
const simpleTypes = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];

describe('a page of another origin, in a browser in which somebody is signed in', () => {
  let place: Elsewhere;
  let site: Site;
  let foreign: ForeignSite;
  let browser: Browser;
  let pool: pg.Pool;
  let look: Awaited<ReturnType<typeof fingerprints>>;
  let home: Page<PageGlobals & Anything>;
  let evil: Page<Anything>;
  let heard: ReturnType<typeof seenRequests>;
  let victim: Person;
  let ids: Record<string, string>;
  before(async function () {
    // A machine without a browser fetches one, once.
    this.timeout(300_000);
    browser = await startBrowser();
    [site, foreign] = [await startSite('test/sdk/page.ts'), await startForeignSite()];
    place = await startElsewhere({ env: { HOMING_ALLOWED_ORIGINS: site.url } });
    pool = new pg.Pool({ connectionString: place.app.database.adminUrl, max: 1 });
    look = await fingerprints(pool);
    const [ana, bob] = await registerPeople(place.app, 'Ana', 'Bob');
    victim = ana;
    const { id } = await makeGroup(ana, [bob]);
    ids = { id, messageId: (await send(ana, id, 'only for the two of us')).id, userId: bob.id, provider: 'corp' };
    home = await browser.openPage();
    await home.open(`${site.url}/?api=${place.app.url}`);
    await home.run(
      async ({ client }, identifier, secret) => void (await client.signIn({ identifier, password: secret })),
      ...([ana.email, password] as const),
    );
    evil = await browser.openPage();
    await evil.keepNothing();
    // The one cookie that there is: of a sign-in elsewhere that was begun in this browser and is under way.
    await evil.open(`${place.app.url}/v1/auth/oauth/corp`);
    await evil.open(foreign.url);
    heard = seenRequests(place.app.url);
  });
  beforeEach(() => {
    heard.seen.length = 0;
  });
  after(async () => {
    heard?.close();
    await browser?.close();
    await Promise.all([pool?.end(), foreign?.close(), site?.close()]);
    await place?.stop();
  });

  const knownTo = ({ path }: Endpoint) =>
    path.startsWith('/v1/admin/jobs/{id}') ? { id: `attention.${victim.id}.1` } : ids;
  const targetOf = (endpoint: Endpoint): Target => {
    const { params = {}, query = {}, body = {} } = inputOf(endpoint, {}, knownTo(endpoint));
    const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
    const search = new URLSearchParams(query).toString();
    const url = `${place.app.url}${path}${search ? `?${search}` : ''}`;
    return { url, method: endpoint.method.toUpperCase(), json: JSON.stringify(body) };
  };
  const changesNothing = async (work: () => Promise<void>) => {
    const before = await look();
    await work();
    assert.deepEqual(changedTables(before, await look()), []);
  };
  const answered = (right: (one: Seen) => boolean) =>
    until(
      () => Promise.resolve(heard.seen.filter(right)),
      (found) => found.length > 0,
    );

  for (const endpoint of all) {
    const name = `${endpoint.method.toUpperCase()} ${endpoint.path}`;
    it(`does nothing by ${name}, and reads nothing of it`, async () => {
      const target = targetOf(endpoint);
      await changesNothing(async () => {
        assert.deepEqual(await evil.run(attack, target), []);
        // Beacons are told of to nobody: one that was let through has come once a later request has.
        if (target.method !== 'GET') await answered(({ method, type }) => method === 'POST' && type === 'text/plain');
        await answered(({ method }) => method === 'GET');
      });
      const took = (right: (one: Seen) => boolean) => heard.seen.filter(right);
      assert.deepEqual(
        took(({ method }) => !['GET', 'HEAD', 'POST', 'OPTIONS'].includes(method)),
        [],
      );
      assert.deepEqual(
        took(({ type, method }) => type === 'application/json' && method !== 'OPTIONS'),
        [],
      );
      if (target.method === 'GET') return;
      const posts = took(({ method }) => method === 'POST');
      for (const type of simpleTypes)
        assert.ok(
          posts.some((post) => post.type === type),
          `none came as ${type}`,
        );
      // No cookie comes with what another site posts, and whatever it posts is refused.
      assert.deepEqual(
        posts.filter(({ status, cookie }) => status < 400 || cookie !== ''),
        [],
      );
    }).timeout(60_000);
  }

  it('sends whoever follows its links to nothing that changes anything', async () => {
    const gets = all.filter(({ method }) => method === 'get').map((endpoint) => targetOf(endpoint).url);
    await changesNothing(async () => {
      for (const url of gets) await follow(url);
    });
    assert.ok(
      heard.seen.some(({ cookie }) => cookie.includes('homing-oauth')),
      'a link brings the cookie along',
    );
    assert.ok(heard.seen.length >= gets.length);
  }).timeout(120_000);

  /** A page of theirs, whose script sends the browser there. */
  async function follow(url: string): Promise<void> {
    const known = heard.seen.length;
    await evil.open(foreign.sendingTo(url));
    // By its address: a browser asks for an icon, too, and a page that is left early goes on to nowhere.
    await until(
      () => Promise.resolve(heard.seen.slice(known)),
      (since) => since.some(({ path }) => url.endsWith(path)),
    );
    // A browser that is sent elsewhere while it still arrives may go nowhere.
    await until(
      () => evil.run(({ location }) => location.origin).catch(() => foreign.url),
      (origin) => origin !== foreign.url,
    );
  }

  it('signs nobody in by what somebody else brought back from a provider', async () => {
    const mallorys = () => visit(new OwnBrowser(), `${place.app.url}/v1/auth/oauth/corp`, somebody('Mallory'));
    const callback = await mallorys();
    const form = Object.fromEntries(new URL(callback).searchParams);
    await evil.open(foreign.url);
    await changesNothing(async () => {
      const target = { url: callback, method: 'GET', json: '{}' };
      assert.deepEqual(await evil.run(attack, target), []);
      const post = { url: callback.replace(/\?.*/, ''), method: 'POST', json: JSON.stringify(form) };
      assert.deepEqual(await evil.run(attack, post), []);
      await follow(callback);
    });
    const [last] = heard.seen.filter(({ cookie }) => cookie !== '');
    assert.equal(last?.status, 302, 'the browser had begun a sign-in of its own, and its cookie came along');
  }).timeout(60_000);

  /** By whichever way a socket begins; answers with those that were let in. */
  const beginSockets = async ({ WebSocket, fetch: ask }: Anything, url: string): Promise<string[]> => {
    const query = '/socket.io/?EIO=4&transport=';
    const begun = new Promise<string[]>((resolve) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}${query}websocket`);
      socket.onopen = () => resolve(['websocket']);
      socket.onerror = () => resolve([]);
    });
    const polled = async (method: string) => {
      const options = { method, credentials: 'include' as const };
      return ask(`${url}${query}polling`, options).then(
        ({ status }) => [`polling ${method}: ${status}`],
        () => [],
      );
    };
    return [await begun, await polled('GET'), await polled('POST')].flat();
  };

  it('begins no socket', async () => {
    await evil.open(foreign.url);
    assert.deepEqual(await evil.run(beginSockets, place.app.url), []);
    assert.deepEqual(
      heard.seen.filter(({ path, status }) => path.startsWith('/socket.io') && status < 400),
      [],
    );
    assert.deepEqual(await home.run(beginSockets, place.app.url), ['websocket'], 'which an allowed one does');
  });

  it('reads nothing even with a token, which an allowed one does, without cookies', async () => {
    const ask = ({ fetch: get }: Anything, url: string, token: string, credentials: 'omit' | 'include') =>
      get(`${url}/v1/me`, { credentials, headers: { authorization: `Bearer ${token}` } }).then(
        ({ status }) => status,
        () => 'refused',
      );
    await evil.open(foreign.url);
    const [url, token] = [place.app.url, victim.token] as const;
    assert.equal(await evil.run(ask, url, token, 'omit'), 'refused');
    assert.equal(await home.run(ask, url, token, 'omit'), 200);
    assert.equal(await home.run(ask, url, token, 'include'), 'refused');
  });

  it('and has left them signed in as they were', async () => {
    assert.equal(await home.run(async ({ client }) => (await client.resume())?.id), victim.id);
    await home.run(({ client }) => client.start());
  });
});
