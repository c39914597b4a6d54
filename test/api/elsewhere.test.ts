import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Me, Provider, SecondFactorNeeded, Session } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { asksProvider } from '../../api/elsewhere/ask.ts';
import { createEgress } from '../../platform/egress.ts';
import { networksSetting } from '../../platform/networks.ts';
import { registerPerson, verifyContacts } from '../factories/person.ts';
import { startApp } from '../setup/app.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import {
  Browser,
  type Elsewhere,
  comeBack,
  otherReturn,
  pickAt,
  proofKey,
  returnTo,
  somebody,
  startElsewhere,
  toldAt,
  visit,
} from '../support/elsewhere.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';
import { within } from '../support/within.ts';

interface SignedIn {
  user: Me;
  session: Session;
}

const silent = { info() {}, warn() {}, error() {} };

describe('signing in elsewhere', () => {
  let place: Elsewhere;
  let clock: Clock;
  let url: string;
  before(async () => {
    place = await startElsewhere();
    clock = clockOf(place.app);
    ({ url } = place.app);
  });
  after(() => place.stop());
  afterEach(() => place.interfere(undefined));

  const exchange = <Body = SignedIn>(code: string | undefined, extra: object = {}): Promise<Answer<Body>> =>
    call(url, 'POST', '/v1/auth/oauth/exchange', { body: { code, ...extra } });
  const start = (provider: string, query: Record<string, string> = {}) =>
    `${url}/v1/auth/oauth/${provider}?${new URLSearchParams(query).toString()}`;
  const changed = (address: string, change: (query: URLSearchParams) => void): string => {
    const copy = new URL(address);
    change(copy.searchParams);
    return copy.href;
  };

  it('says by whom', async () => {
    const { items } = expectStatus(await call<{ items: Provider[] }>(url, 'GET', '/v1/auth/oauth'), 200);
    assert.deepEqual(items[0], { provider: 'corp', name: 'Corporate' });
    assert.ok(items.some(({ provider, name }) => provider === 'github' && name === 'github'));
    expectProblem(await call(url, 'GET', '/v1/auth/oauth/nobody'), 404, 'not_found');
    expectProblem(await call(url, 'GET', '/v1/auth/oauth/nobody/callback'), 404, 'not_found');
  });

  for (const provider of ['corp', 'github']) {
    describe(`by ${provider}`, () => {
      it('makes an account with the address that it vouches for, and finds it again', async () => {
        const who = somebody();
        const first = await comeBack(place, who, { provider });
        assert.deepEqual([first.at, first.provider], [returnTo, provider]);
        const { user, session } = expectStatus(await exchange(first.code), 200);
        assert.equal(user.displayName, 'Ana');
        assert.deepEqual(user.email, { address: who.email, verified: true });
        expectStatus(await call(url, 'GET', '/v1/me', { token: session.accessToken }), 200);
        const again = expectStatus(await exchange((await comeBack(place, who, { provider })).code), 200);
        assert.equal(again.user.id, user.id);
      });

      it('takes no address that it does not vouch for', async () => {
        const { code } = await comeBack(place, { ...somebody(), verified: 'no' }, { provider });
        assert.equal(expectStatus(await exchange(code), 200).user.email, null);
      });

      it('asks with PKCE by S256 and a state, and for the exact address to come back to', async () => {
        const { to } = await new Browser().go(start(provider));
        const { searchParams } = new URL(to);
        assert.equal(searchParams.get('code_challenge_method'), 'S256');
        assert.match(searchParams.get('code_challenge') ?? '', /^[\w-]{43}$/);
        assert.ok((searchParams.get('state') ?? '').length >= 20);
        const publicUrl = place.app.env.HOMING_PUBLIC_URL;
        assert.equal(searchParams.get('redirect_uri'), `${publicUrl}/v1/auth/oauth/${provider}/callback`);
      });

      const refused = async (
        code: string,
        change: (callback: string, browser: Browser) => string | Promise<string>,
      ) => {
        const browser = new Browser();
        const callback = await visit(browser, start(provider), somebody());
        const told = toldAt((await browser.go(await change(callback, browser))).to);
        assert.deepEqual([told.at, told.error, told.code], [returnTo, code, undefined]);
      };

      it('refuses an answer with another state, or none', async () => {
        await refused('sign_in_expired', (callback) =>
          changed(callback, (query) => query.set('state', 'x'.repeat(32))),
        );
        await refused('sign_in_expired', (callback) => changed(callback, (query) => query.delete('state')));
      });

      it('refuses an answer in a browser that began nothing, or something else', async () => {
        await refused('sign_in_expired', (callback, { cookies }) => (cookies.clear(), callback));
        await refused('sign_in_expired', async (callback, browser) => {
          const other = new Browser();
          await visit(other, start(provider), somebody());
          browser.cookies.clear();
          for (const [name, cookie] of other.cookies) browser.cookies.set(name, cookie);
          return callback;
        });
      });

      it('refuses a cookie that was changed', async () => {
        await refused('sign_in_expired', (callback, { cookies }) => {
          for (const cookie of cookies.values())
            cookie.value = cookie.value.replace(/.(?=.{40}$)/, (one) => (one === 'A' ? 'B' : 'A'));
          return callback;
        });
      });

      it('ends once, whoever has kept the cookie', async () => {
        const browser = new Browser();
        const callback = await visit(browser, start(provider), somebody());
        const kept = new Map(browser.cookies);
        assert.ok(toldAt((await browser.go(callback)).to).code);
        assert.equal(browser.cookies.has('homing-oauth /'), false);
        for (const [name, cookie] of kept) browser.cookies.set(name, cookie);
        assert.equal(toldAt((await browser.go(callback)).to).error, 'sign_in_expired');
      });

      it('is too late after ten minutes', async () => {
        await refused('sign_in_expired', (callback) => (clock.pass(limits.oauthSeconds * 1_000), callback));
      });

      it('refuses an answer that says it is of another issuer', async () => {
        const other = 'https://attacker.example';
        await refused('invalid_identity', (callback) => changed(callback, (query) => query.set('iss', other)));
      });

      it('refuses a code that was begun without PKCE', async () => {
        const browser = new Browser();
        const { to } = await browser.go(start(provider));
        const stripped = changed(to, (query) => {
          query.delete('code_challenge');
          query.delete('code_challenge_method');
        });
        const callback = await pickAt(browser, stripped, somebody());
        assert.equal(toldAt((await browser.go(callback)).to).error, 'invalid_identity');
      });

      it('refuses a code of somebody else', async () => {
        const theirs = new URL(await visit(new Browser(), start(provider), somebody('Mallory'))).searchParams.get(
          'code',
        );
        await refused('invalid_identity', (callback) => changed(callback, (query) => query.set('code', theirs ?? '')));
      });

      it('tells the app when the person says no, and nothing that the provider wrote', async () => {
        const { to } = await new Browser().go(start(provider));
        assert.ok(to);
        await refused('provider_refused', (callback) =>
          changed(callback, (query) => {
            query.delete('code');
            query.set('error', 'access_denied');
            query.set('error_description', '<script>alert(1)</script>');
          }),
        );
        const told = await comeBack(place, { deny: 'yes' }, { provider });
        assert.deepEqual(Object.keys(told).sort(), ['at', 'error', 'provider']);
      });
    });
  }

  it('asks with a nonce that is another each time', async () => {
    const nonceOf = async () => new URL((await new Browser().go(start('corp'))).to).searchParams.get('nonce') ?? '';
    const [one, other] = [await nonceOf(), await nonceOf()];
    assert.ok(one.length >= 20 && other.length >= 20);
    assert.notEqual(one, other);
  });

  it('takes no answer of one provider for that of another', async () => {
    const browser = new Browser();
    const callback = await visit(browser, start('corp'), somebody());
    const { to } = await browser.go(callback.replace('/corp/', '/rival/'));
    assert.equal(toldAt(to).error, 'sign_in_expired');
  });

  it('refuses an answer that does not say whose it is, of a provider that always does', async () => {
    const browser = new Browser();
    const callback = await visit(browser, start('corp'), somebody());
    assert.ok(new URL(callback).searchParams.get('iss'));
    const { to } = await browser.go(changed(callback, (query) => query.delete('iss')));
    assert.equal(toldAt(to).error, 'invalid_identity');
  });

  /** What the provider answers to the code, with its id token made anew. */
  const forge = (change: (claims: jwt.JwtPayload) => object, key?: string) => {
    let forged = false;
    place.interfere(async (request, response) => {
      if (forged || request.url !== '/oidc/token') return false;
      forged = true;
      const body = Buffer.concat(await request.toArray());
      const type = request.headers['content-type'] ?? '';
      const answer = await fetch(`${place.oidcUrl}/token`, { method: 'POST', headers: { 'content-type': type }, body });
      const tokens = (await answer.json()) as { id_token: string };
      const { header, payload } = jwt.decode(tokens.id_token, { complete: true }) as jwt.Jwt;
      const signed = jwt.sign(change(payload as jwt.JwtPayload), key ?? '', {
        algorithm: key ? 'RS256' : 'none',
        ...(header.kid ? { keyid: header.kid } : {}),
      });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ...tokens, id_token: signed }));
      return true;
    });
  };
  const otherKey = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;

  it('refuses an id token that another key has signed, or none', async () => {
    for (const key of [otherKey, undefined]) {
      forge((claims) => claims, key);
      assert.equal((await comeBack(place, somebody())).error, 'invalid_identity');
    }
  });

  for (const [what, change] of Object.entries({
    'another nonce': { nonce: 'of-somebody-else' },
    'another audience': { aud: 'another-app' },
    'another issuer': { iss: 'https://attacker.example' },
    'a time that is over': { exp: 1_700_000_000 },
  }))
    it(`refuses an id token with ${what}, whoever signed it`, async () => {
      forge((claims) => ({ ...claims, ...change }), place.oidcKey);
      assert.equal((await comeBack(place, somebody())).error, 'invalid_identity');
    });

  it('takes the id token of the key that the tests forge with, so that the others fail by what is changed', async () => {
    forge((claims) => claims, place.oidcKey);
    assert.ok((await comeBack(place, somebody())).code);
  });

  it('tells the app that a provider is away', async () => {
    const { to } = await new Browser().go(start('away'));
    assert.deepEqual(toldAt(to), { at: returnTo, provider: 'away', error: 'unavailable' });
  });

  it('tells it as well of one that goes away meanwhile, or answers nonsense', async () => {
    place.interfere(({ url: path }, response) => path === '/oidc/token' && Boolean(response.writeHead(503).end()));
    assert.equal((await comeBack(place, somebody())).error, 'unavailable');
    place.interfere(({ url: path }, response) => path === '/github/user' && Boolean(response.end('nonsense')));
    assert.equal((await comeBack(place, somebody(), { provider: 'github' })).error, 'invalid_identity');
  });

  it('leaves a provider that does not answer', async () => {
    place.interfere(({ url: path }) => path === '/github/login/oauth/access_token');
    const told = await within('it is given up', comeBack(place, somebody(), { provider: 'github' }));
    assert.equal(told.error, 'unavailable');
  });

  it('leaves it by the end that who signs in is given, which comes before that of all requests', async () => {
    place.interfere(({ url: path }) => path === '/stalls');
    const egress = createEgress({ allow: networksSetting.parse('127.0.0.1/32'), log: silent });
    const asked = asksProvider(egress.fetch)(new URL('/stalls', place.oidcUrl));
    const thrown = await within(
      'it is given up',
      asked.then(
        () => assert.fail('it was answered'),
        (error: Error) => error,
      ),
    );
    // Whoever ends it first says why: the client of all requests would by an error of its own.
    assert.deepEqual([thrown.name, (thrown.cause as Error).name], ['ProviderAway', 'TimeoutError']);
    await egress.close();
  });

  it('sends a browser back to addresses that were named, to the letter, and nowhere else', async () => {
    assert.equal((await comeBack(place, somebody(), { query: { returnTo: otherReturn } })).at, otherReturn);
    for (const wrong of [
      `${returnTo}/`,
      `${returnTo}?x=1`,
      'https://app.test.attacker.example/signed-in',
      'javascript:alert(1)',
    ]) {
      // Not followed: an answer that leads there is what must not be.
      assert.equal((await new Browser().go(start('corp', { returnTo: wrong }))).status, 400, wrong);
      const answer = await call(
        url,
        'GET',
        `/v1/auth/oauth/corp?${new URLSearchParams({ returnTo: wrong }).toString()}`,
      );
      assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['returnTo']);
    }
  });

  it('passes the answer of a provider on that comes by a form', async () => {
    const browser = new Browser();
    const callback = new URL(await visit(browser, start('corp'), somebody()));
    const form = Object.fromEntries(callback.searchParams);
    const bounced = await browser.go(`${callback.origin}${callback.pathname}`, { ...form, user: '{"name":"x"}' });
    assert.equal(bounced.status, 303);
    assert.equal(new URL(bounced.to).searchParams.get('user'), null);
    assert.ok(toldAt((await browser.go(bounced.to)).to).code);
  });

  it('asks for a form where the provider tells an address only by one', async () => {
    const { to } = await new Browser().go(start('by-form'));
    assert.equal(new URL(to).searchParams.get('response_mode'), 'form_post');
  });

  it('keeps what it began in a cookie of this host alone, which no page reads', async () => {
    const own = (await new Browser().go(start('github'))).headers.getSetCookie()[0] ?? '';
    assert.match(own, /^homing-oauth=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
    const { HOMING_OAUTH_PROVIDERS } = place.app.env;
    const env = { HOMING_OAUTH_PROVIDERS, HOMING_PUBLIC_URL: 'https://homing.test' };
    const public_ = await startApp({ env });
    const { headers, to } = await new Browser().go(`${public_.url}/v1/auth/oauth/github`);
    await public_.stop();
    assert.match(
      headers.getSetCookie()[0] ?? '',
      /^__Host-homing-oauth=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=600$/,
    );
    assert.equal(new URL(to).searchParams.get('redirect_uri'), 'https://homing.test/v1/auth/oauth/github/callback');
    for (const secret of ['verifier', 'session', returnTo]) assert.equal(own.includes(secret), false);
  });

  describe('the code', () => {
    const switchOnApp = (userId: string) =>
      place.sql(
        `insert into totp (user_id, secret, key_id, begun_at, confirmed_at) values ($1, '\\x00', 'dev', now(), now())`,
        [userId],
      );

    it('works once, of ten who show it at once too', async () => {
      const { code } = await comeBack(place, somebody());
      const answers = await Promise.all(Array.from({ length: 10 }, () => exchange<never>(code)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 9 }, () => 410)]);
      expectProblem(await exchange<never>(code), 410, 'sign_in_expired');
    });

    it('is good for a minute', async () => {
      const [late, early] = [await comeBack(place, somebody()), await comeBack(place, somebody())];
      clock.pass(limits.oauthCodeSeconds * 1_000 - 5_000);
      expectStatus(await exchange(early.code), 200);
      clock.pass(5_000);
      expectProblem(await exchange<never>(late.code), 410, 'sign_in_expired');
    });

    it('asks for the secret of the app that began, where it has one', async () => {
      const { verifier, challenge } = proofKey();
      const { code } = await comeBack(place, somebody(), { query: { challenge } });
      expectProblem(await exchange<never>(code), 410, 'sign_in_expired');
      expectProblem(await exchange<never>(code, { verifier: proofKey().verifier }), 410, 'sign_in_expired');
      expectStatus(await exchange(code, { verifier }), 200);
    });

    it('refuses a secret that nobody asked for: the question was taken away', async () => {
      const { code } = await comeBack(place, somebody());
      expectProblem(await exchange<never>(code, { verifier: proofKey().verifier }), 410, 'sign_in_expired');
    });

    it('of who is suspended lets nobody in, nor asks for their second factor', async () => {
      const who = somebody();
      const { user } = expectStatus(await exchange((await comeBack(place, who)).code), 200);
      const { code } = await comeBack(place, who);
      await switchOnApp(user.id);
      await place.sql(`update users set status = 'suspended' where id = $1`, [user.id]);
      expectProblem(await exchange<never>(code), 401, 'invalid_credentials');
    });

    it('is a challenge for who has a second factor', async () => {
      const who = somebody();
      const { user } = expectStatus(await exchange((await comeBack(place, who)).code), 200);
      await switchOnApp(user.id);
      const asked = await exchange<SecondFactorNeeded>((await comeBack(place, who)).code);
      assert.deepEqual(expectStatus(asked, 202).methods, ['totp']);
    });
  });

  describe('an address that is known here', () => {
    it('is never linked: its account signs in first', async () => {
      const ana = await registerPerson(place.app);
      await verifyContacts(place.app, ana);
      const told = await comeBack(place, { ...somebody(), email: ana.email });
      assert.deepEqual([told.error, told.code], ['link_required', undefined]);
      const rows = await place.sql('select from identities where user_id = $1', [ana.id]);
      assert.equal(rows.length, 0);
    });

    it('is taken from an account that only named it, which stays another’s', async () => {
      const mallory = await registerPerson(place.app, 'Mallory');
      const { code } = await comeBack(place, { ...somebody(), email: mallory.email });
      const { user } = expectStatus(await exchange(code), 200);
      assert.notEqual(user.id, mallory.id);
      assert.deepEqual(user.email, { address: mallory.email, verified: true });
      assert.equal(expectStatus(await mallory.call<Me>('GET', '/v1/me'), 200).email, null);
      const [entry] = await place.sql(`select actor_id from audit where action = 'take_contact' and user_id = $1`, [
        mallory.id,
      ]);
      assert.equal(entry?.actor_id, user.id);
    });

    it('leaves it to them where the provider does not vouch for it', async () => {
      const mallory = await registerPerson(place.app, 'Mallory');
      const { code } = await comeBack(place, { ...somebody(), email: mallory.email, verified: 'no' });
      assert.equal(expectStatus(await exchange(code), 200).user.email, null);
      assert.equal(expectStatus(await mallory.call<Me>('GET', '/v1/me'), 200).email?.address, mallory.email);
    });

    it('makes one account of two first sign-ins at once', async () => {
      const who = somebody();
      const [one, other] = [new Browser(), new Browser()];
      const back = await Promise.all(
        [one, other].map(async (browser) => [browser, await visit(browser, start('corp'), who)] as const),
      );
      const told = await Promise.all(back.map(async ([browser, callback]) => toldAt((await browser.go(callback)).to)));
      const ids = await Promise.all(told.map(async ({ code }) => expectStatus(await exchange(code), 200).user.id));
      assert.equal(ids[0], ids[1]);
    });
  });
});
