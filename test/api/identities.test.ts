import assert from 'node:assert/strict';
import type { Identity, Me, Session } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { type Person, password, registerPerson, verifyContacts } from '../factories/person.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { callBySocket, type Entrance, by, byEachDoor } from '../support/doors.ts';
import {
  Browser,
  type Elsewhere,
  type Somebody,
  comeBack,
  proofKey,
  returnTo,
  somebody,
  startElsewhere,
  toldAt,
  visit,
} from '../support/elsewhere.ts';
import { call, expectProblem, expectStatus } from '../support/rest.ts';

type Listed = { items: Identity[]; hasPassword: boolean };

byEachDoor('accounts elsewhere', (door) => {
  let place: Elsewhere;
  let app: Elsewhere['app'] & Entrance;
  let clock: Clock;
  before(async () => {
    place = await startElsewhere();
    app = by(door, place.app);
    clock = clockOf(place.app);
  });
  after(() => place.stop());

  const list = async (person: Person) => expectStatus(await person.call<Listed>('GET', '/v1/me/identities'), 200);
  const begin = (person: Person, provider: string, body: object = {}) =>
    person.call<{ url: string }>('POST', `/v1/me/identities/${provider}`, body);
  const add = (person: Person, body: object) => person.call<Identity>('POST', '/v1/me/identities', body);
  const remove = (person: Person, provider: string) => person.call('DELETE', `/v1/me/identities/${provider}`);

  /** To the provider and back, for a link. The browser knows the app's own address. */
  const goAndCome = async (person: Person, who: Somebody, provider = 'corp', body: object = {}) => {
    const { url } = expectStatus(await begin(person, provider, body), 200);
    const browser = new Browser();
    return toldAt((await browser.go(await visit(browser, url, who))).to);
  };
  const link = async (person: Person, who: Somebody, provider = 'corp') =>
    expectStatus(await add(person, { code: (await goAndCome(person, who, provider)).code }), 201);

  const exchange = (code: string | undefined) =>
    call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/oauth/exchange', { body: { code } });
  const signIn = async (who: Somebody, provider = 'corp') => exchange((await comeBack(place, who, { provider })).code);

  /** Somebody who signs in elsewhere and has nothing else. */
  const arrive = async (who: Somebody): Promise<Person> => {
    const { user, session } = expectStatus(await signIn(who), 200);
    const token = session.accessToken;
    const ask: Person['call'] =
      door === 'the socket'
        ? callBySocket(app, token)
        : (method, path, body, headers = {}) => call(app.url, method, path, { token, body, headers });
    return { id: user.id, name: user.displayName, email: who.email ?? '', me: user, session, token, call: ask };
  };

  const noticesOf = async ({ id }: Person) =>
    (await place.sql('select kind from notices where user_id = $1 order by id', [id])).map(({ kind }) => kind);
  const auditedOf = async ({ id }: Person) =>
    (await place.sql(`select from audit where user_id = $1 and action = 'change_factors'`, [id])).length;

  it('are linked by who is signed in, and sign them in then', async () => {
    const ana = await registerPerson(app);
    await verifyContacts(app, ana);
    const who = { ...somebody(), email: ana.email };
    assert.equal((await comeBack(place, who)).error, 'link_required');
    const linked = await link(ana, who);
    assert.deepEqual([linked.provider, linked.email, linked.lastUsedAt], ['corp', ana.email, null]);
    assert.equal(expectStatus(await signIn(who), 200).user.id, ana.id);
    const { items, hasPassword } = await list(ana);
    assert.deepEqual(
      items.map(({ provider }) => provider),
      ['corp'],
    );
    assert.ok(items[0]?.lastUsedAt);
    assert.equal(hasPassword, true);
    assert.deepEqual(await noticesOf(ana), ['identity_added']);
    assert.equal(await auditedOf(ana), 1);
  });

  it('need no address, and change none', async () => {
    const ana = await registerPerson(app);
    await link(ana, somebody('Other'), 'github');
    const me = expectStatus(await ana.call<Me>('GET', '/v1/me'), 200);
    assert.deepEqual(me.email, { address: ana.email, verified: false });
  });

  it('are linked to nobody whose browser was lured: the code is for who began, in their app', async () => {
    const [mallory, ana] = [await registerPerson(app, 'Mallory'), await registerPerson(app)];
    const { code } = await goAndCome(mallory, somebody());
    expectProblem(await add(ana, { code }), 410, 'sign_in_expired');
    assert.deepEqual((await list(mallory)).items, []);
    assert.deepEqual((await list(ana)).items, []);
  });

  it('ask for the secret of the app that began', async () => {
    const ana = await registerPerson(app);
    const { verifier, challenge } = proofKey();
    const { code } = await goAndCome(ana, somebody(), 'corp', { challenge });
    expectProblem(await add(ana, { code }), 410, 'sign_in_expired');
    expectStatus(await add(ana, { code, verifier }), 201);
  });

  it('are no sign-in: neither code is good for the other', async () => {
    const ana = await registerPerson(app);
    const { code } = await goAndCome(ana, somebody());
    expectProblem((await exchange(code)) as never, 410, 'sign_in_expired');
    expectProblem(await add(ana, { code: (await comeBack(place, somebody())).code }), 410, 'sign_in_expired');
  });

  it('are begun once with a ticket, at the provider that it is for', async () => {
    const ana = await registerPerson(app);
    const { url } = expectStatus(await begin(ana, 'corp'), 200);
    assert.equal((await new Browser().go(url.replace('/corp?', '/github?'))).status, 410);
    const { url: another } = expectStatus(await begin(ana, 'corp'), 200);
    assert.equal((await new Browser().go(another)).status, 302);
    assert.equal((await new Browser().go(another)).status, 410);
  });

  it('are linked to one person, and one of each provider', async () => {
    const [ana, ben] = [await registerPerson(app), await registerPerson(app, 'Ben')];
    const who = somebody();
    const twice = [await goAndCome(ana, who), await goAndCome(ana, somebody())];
    const theirs = await goAndCome(ben, who);
    expectStatus(await add(ana, { code: twice[0]?.code }), 201);
    expectProblem(await add(ana, { code: twice[1]?.code }), 409, 'identity_exists');
    expectProblem(await add(ben, { code: theirs.code }), 409, 'identity_taken');
    expectProblem(await begin(ana, 'corp'), 409, 'identity_exists');
  });

  it('are of providers that there are, and lead back to addresses that were named', async () => {
    const ana = await registerPerson(app);
    assert.deepEqual(expectProblem(await begin(ana, 'nobody'), 400, 'invalid_input'), ['provider']);
    expectProblem(await remove(ana, 'corp'), 404, 'not_found');
    const wrong = await begin(ana, 'corp', { returnTo: `${returnTo}x` });
    assert.deepEqual(expectProblem(wrong, 400, 'invalid_input'), ['returnTo']);
  });

  it('are removed, with what was on its way, and told', async () => {
    const ana = await registerPerson(app);
    await verifyContacts(app, ana);
    const who = { ...somebody(), email: ana.email };
    await link(ana, who);
    const { code } = await comeBack(place, who);
    expectStatus(await remove(ana, 'corp'), 204);
    expectProblem((await exchange(code)) as never, 410, 'sign_in_expired');
    assert.equal((await comeBack(place, who)).error, 'link_required');
    assert.deepEqual(await noticesOf(ana), ['identity_added', 'identity_removed']);
  });

  it('are not removed where nothing else would let their person in', async () => {
    const ana = await arrive(somebody());
    assert.deepEqual((await list(ana)).hasPassword, false);
    expectProblem(await remove(ana, 'corp'), 409, 'last_way_in');
    await link(ana, somebody(), 'github');
    expectStatus(await remove(ana, 'corp'), 204);
    expectProblem(await remove(ana, 'github'), 409, 'last_way_in');
  });

  it('leave the last passkey to who has nothing else', async () => {
    const ana = await arrive(somebody());
    const id = '01900000-0000-7000-8000-000000000001';
    await place.sql(
      `insert into passkeys (user_id, id, credential_id, public_key, counter, transports, name, created_at)
       values ($1, $2, uuid_send($1), '', 0, '{}', 'key', now())`,
      [ana.id, id],
    );
    // As who has switched one on in this session.
    await place.sql('update sessions set proved_by_factor = true where user_id = $1', [ana.id]);
    expectStatus(await remove(ana, 'corp'), 204);
    expectProblem(await ana.call('DELETE', `/v1/me/passkeys/${id}`), 409, 'last_way_in');
  });

  it('of two who are removed at once one stays', async () => {
    const ana = await arrive(somebody());
    await link(ana, somebody(), 'github');
    const answers = await Promise.all([remove(ana, 'corp'), remove(ana, 'github')]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 409]);
  });

  describe('of who has no password', () => {
    it('no password signs in, and none is the one that they have', async () => {
      const who = somebody();
      const ana = await arrive(who);
      const body = { identifier: who.email, password };
      expectProblem(await call(app.url, 'POST', '/v1/auth/login', { body }), 401, 'invalid_credentials');
      const change = { oldPassword: password, newPassword: 'a quite different phrase' };
      expectProblem(await ana.call('POST', '/v1/me/password', change), 409, 'no_password');
    });

    it('a new sign-in is a proof of who asks, and says so', async () => {
      const who = somebody();
      const ana = await arrive(who);
      clock.pass(limits.proofSeconds * 1_000);
      const refused = await ana.call<{ detail: string }>('POST', '/v1/me/totp');
      expectProblem(refused as never, 403, 'step_up_required');
      assert.match(refused.body.detail, /sign in again by a provider/);
      const guessed = await ana.call('POST', '/v1/auth/step-up', { password });
      expectProblem(guessed, 403, 'step_up_required');
      expectStatus(await (await arrive(who)).call('POST', '/v1/me/totp'), 200);
    });
  });

  describe('when a mailed link gives the account to who has its address', () => {
    /** A reset as its mail would carry it. */
    const reset = async (email: string) => {
      expectStatus(await call(app.url, 'POST', '/v1/auth/password/forgot', { body: { identifier: email } }), 202);
      const [row] = await place.sql('select id from password_resets where target = $1 order by id desc limit 1', [
        email,
      ]);
      const token = place.app.processes[0]?.runtime.deps.mac('password-reset', String(row?.id)).toString('base64url');
      await place.sql(
        'update password_resets set sent_at = now(), user_id = (select id from users where email = $2) where id = $1',
        [row?.id, email],
      );
      const body = { token, password: 'a quite different phrase' };
      expectStatus(await call(app.url, 'POST', '/v1/auth/password/reset', { body }), 204);
    };

    it('they stay where it had been proved, and there is a first password', async () => {
      const who = somebody();
      const ana = await arrive(who);
      await reset(ana.email);
      const { user } = expectStatus(await signIn(who), 200);
      assert.equal(user.id, ana.id);
      const body = { identifier: ana.email, password: 'a quite different phrase' };
      expectStatus(await call(app.url, 'POST', '/v1/auth/login', { body }), 200);
    });

    it('they go where it was only named: whoever made it waits in vain', async () => {
      const mallory = await registerPerson(app, 'Mallory');
      const who = somebody('Mallory');
      await link(mallory, who);
      const { code } = await comeBack(place, who);
      await reset(mallory.email);
      expectProblem((await exchange(code)) as never, 410, 'sign_in_expired');
      assert.notEqual(expectStatus(await signIn(who), 200).user.id, mallory.id);
    });
  });
});
