import assert from 'node:assert/strict';
import type {
  Identity,
  Passkey,
  PasskeyCreation,
  PasskeyRequest,
  SecondFactorNeeded,
} from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { codeOf } from '../../domain/accounts/contacts.ts';
import { resetTokenOf } from '../../domain/accounts/passwords.ts';
import { removeFactors } from '../../domain/support/index.ts';
import { type Person, password, phoneNumber, registerPerson, verifyContacts } from '../factories/person.ts';
import { Authenticator } from '../support/authenticator.ts';
import { type Clock, clockOf } from '../support/clock.ts';
import { type Entrance, by, byEachDoor, callBySocket } from '../support/doors.ts';
import {
  Browser,
  type Elsewhere,
  type Somebody,
  comeBack,
  pickAt,
  somebody,
  startElsewhere,
  toldAt,
  visit,
} from '../support/elsewhere.ts';
import { type SignedIn, answer, beginApp, login, switchOnApp } from '../support/factors.ts';
import { type Meeting, openMeeting } from '../support/meeting.ts';
import { type Answer, call, expectStatus } from '../support/rest.ts';

const another = 'another long battery staple';

/** An account whose owner is at one session, and somebody else, who proved the same a moment ago, at another. */
interface Scene {
  ana: Person;
  thief: Person;
  /** In a further session, signed in as the first one. */
  again: () => Promise<Person>;
  /** A passkey that both have, where the account has a factor. */
  key: Authenticator;
  keyId: string;
  /** By which the thief signs in, where that is by an account elsewhere. */
  who: Somebody;
  signIn: () => Promise<Answer<SecondFactorNeeded>>;
}

type Finish = (by: Person) => Promise<Answer<unknown>>;

interface Begun {
  what: string;
  begin: (scene: Scene) => Promise<Finish>;
  /** Where it is nothing without a factor of the account. */
  needsFactor?: true;
  /** It is begun by nobody who is signed in. */
  noSession?: true;
}

interface Voiding {
  how: string;
  happen: (scene: Scene) => Promise<unknown>;
  /** Whether the account has a factor before; either where it does not matter. */
  factor?: 'before' | 'never';
  elsewhere?: true;
  endsSession?: true;
}

interface Race {
  how: string;
  held: string;
  of: 'ana' | 'thief';
  ready?: (scene: Scene) => Promise<() => Promise<unknown>>;
}

byEachDoor('what was begun by a proof', (door) => {
  let place: Elsewhere;
  let app: Elsewhere['app'] & Entrance;
  let clock: Clock;
  before(async () => {
    place = await startElsewhere({ env: { HOMING_ALLOWED_ORIGINS: 'http://homing.test' } });
    app = by(door, place.app);
    clock = clockOf(place.app);
  });
  after(() => place.stop());

  const deps = () => (place.app.processes[0] ?? assert.fail()).runtime.deps;
  const idOf = async (table: string, target: string) =>
    String((await place.sql(`select id from ${table} where target = $1`, [target]))[0]?.id);

  const begun: readonly Begun[] = [
    {
      what: 'an authenticator app',
      begin: async ({ thief }) => {
        const { code } = await beginApp(thief, clock);
        return (who) => who.call('POST', '/v1/me/totp/confirm', { code: code() });
      },
    },
    {
      what: 'a passkey',
      begin: async ({ thief }) => {
        const asked = expectStatus(await thief.call<PasskeyCreation>('POST', '/v1/me/passkeys/begin'), 200);
        const passkey = new Authenticator().register(asked);
        return (who) => who.call('POST', '/v1/me/passkeys', { name: 'Laptop', passkey });
      },
    },
    {
      what: 'another address',
      begin: ({ thief }) => beginContact(thief, 'email', `${crypto.randomUUID()}@example.test`),
    },
    { what: 'another number', begin: ({ thief }) => beginContact(thief, 'phone', phoneNumber()) },
    {
      what: 'a link, whose browser has not set out',
      begin: async ({ thief }) => {
        const url = await beginLink(thief);
        const browser = new Browser();
        return async (who) => {
          const out = await browser.go(url);
          if (out.status !== 302)
            return { status: out.status, headers: out.headers, body: { code: 'sign_in_expired' } };
          const callback = await pickAt(browser, out.to, somebody('Mallory'));
          return add(who, toldAt((await browser.go(callback)).to).code);
        };
      },
    },
    {
      what: 'a link, whose browser is at the provider',
      begin: async ({ thief }) => {
        const browser = new Browser();
        const callback = await visit(browser, await beginLink(thief), somebody('Mallory'));
        return async (who) => add(who, toldAt((await browser.go(callback)).to).code);
      },
    },
    {
      what: 'a link, whose browser has come back',
      begin: async ({ thief }) => {
        const browser = new Browser();
        const callback = await visit(browser, await beginLink(thief), somebody('Mallory'));
        const { code } = toldAt((await browser.go(callback)).to);
        return (who) => add(who, code);
      },
    },
    {
      what: 'a proof by a passkey',
      needsFactor: true,
      begin: async ({ thief, key }) => {
        const asked = expectStatus(await thief.call<PasskeyRequest>('POST', '/v1/auth/step-up/passkey'), 200);
        return (who) => who.call('POST', '/v1/auth/step-up', { passkey: key.answer(asked) });
      },
    },
    {
      what: 'a sign-in that is asked for its second factor',
      needsFactor: true,
      noSession: true,
      begin: async ({ signIn, key }) => {
        const { challenge, passkey } = expectStatus(await signIn(), 202);
        return () =>
          answer(app, { challenge, passkey: key.answer(passkey ?? assert.fail()) }) as Promise<Answer<never>>;
      },
    },
  ];

  const voiding: readonly Voiding[] = [
    {
      how: 'the password is changed',
      happen: async ({ ana }) =>
        expectStatus(await ana.call('POST', '/v1/me/password', { oldPassword: password, newPassword: another }), 200),
    },
    {
      how: 'the password is reset by a mail',
      endsSession: true,
      happen: async ({ ana }) => {
        expectStatus(await post('/v1/auth/password/forgot', { identifier: ana.email }), 202);
        const id = await idOf('password_resets', ana.email);
        await place.sql('update password_resets set user_id = $1, sent_at = now() where id = $2', [ana.id, id]);
        expectStatus(
          await post('/v1/auth/password/reset', { token: resetTokenOf(deps(), id), password: another }),
          204,
        );
      },
    },
    { how: 'a first factor is an app', factor: 'never', happen: ({ ana }) => switchOnApp(ana, clock) },
    { how: 'a first factor is a passkey', factor: 'never', happen: ({ ana }) => addPasskey(ana, new Authenticator()) },
    {
      how: 'a factor is removed',
      factor: 'before',
      happen: async ({ ana, keyId }) => expectStatus(await ana.call('DELETE', `/v1/me/passkeys/${keyId}`), 204),
    },
    {
      how: 'recovery codes are made anew',
      factor: 'before',
      happen: async ({ ana }) => expectStatus(await ana.call('POST', '/v1/me/recovery-codes'), 200),
    },
    {
      how: 'an account elsewhere is removed',
      elsewhere: true,
      happen: async ({ ana }) => expectStatus(await ana.call('DELETE', '/v1/me/identities/corp'), 204),
    },
    {
      how: 'support takes the factors away',
      factor: 'before',
      endsSession: true,
      happen: ({ ana }) => removeFactors(deps(), { operator: 'test' }, ana.id as UserId),
    },
    {
      how: 'its session is ended',
      endsSession: true,
      happen: async ({ ana, thief }) => expectStatus(await ana.call('DELETE', `/v1/sessions/${thief.session.id}`), 204),
    },
    {
      how: 'it is signed out',
      endsSession: true,
      happen: async ({ thief }) => expectStatus(await byRest(thief).call('POST', '/v1/auth/logout'), 204),
    },
  ];

  const post = (path: string, body: object) => call(app.url, 'POST', path, { body });
  const add = (person: Person, code: string | undefined) => person.call('POST', '/v1/me/identities', { code });

  async function beginLink(person: Person): Promise<string> {
    return expectStatus(await person.call<{ url: string }>('POST', '/v1/me/identities/rival', {}), 200).url;
  }

  async function beginContact(person: Person, kind: 'email' | 'phone', target: string): Promise<Finish> {
    expectStatus(await person.call('POST', `/v1/me/${kind}`, { [kind]: target }), 202);
    const code = codeOf(deps(), await idOf('verifications', target));
    return (who) => who.call('POST', `/v1/me/${kind}/verify`, { code });
  }

  async function addPasskey(person: Person, key: Authenticator) {
    return (await newPasskey(person, key))();
  }

  /** One that is begun, and waits to be taken. */
  async function newPasskey(person: Person, key: Authenticator): Promise<() => Promise<string>> {
    const asked = expectStatus(await person.call<PasskeyCreation>('POST', '/v1/me/passkeys/begin'), 200);
    const body = { name: 'Phone', passkey: key.register(asked) };
    return async () =>
      expectStatus(await person.call<{ passkey: Passkey }>('POST', '/v1/me/passkeys', body), 201).passkey.id;
  }

  const personOf = (ana: Person, { session }: SignedIn): Person => {
    const token = session.accessToken;
    const ask: Person['call'] =
      door === 'the socket'
        ? callBySocket(app, token)
        : (method, path, body, headers = {}) => call(app.url, method, path, { token, body, headers });
    return { ...ana, session, token, call: ask };
  };

  /** A socket closes with its session: what is asked by it then is not even heard. */
  const byRest = (person: Person): Person => ({
    ...person,
    call: (method, path, body, headers = {}) => call(app.url, method, path, { token: person.token, body, headers }),
  });

  async function stage({ factored, elsewhere }: { factored: boolean; elsewhere: boolean }): Promise<Scene> {
    const ana = await registerPerson(app);
    await verifyContacts(app, ana);
    const [key, who] = [new Authenticator(), somebody('Mallory')];
    const keyId = factored ? await addPasskey(ana, key) : '';
    if (elsewhere) await linkCorp(ana, who);
    const signIn = async () =>
      elsewhere
        ? ((await post('/v1/auth/oauth/exchange', { code: (await comeBack(place, who)).code })) as never)
        : login(app, ana);
    const again = async () => {
      const first = await signIn();
      if (!factored) return personOf(ana, expectStatus(first as Answer<never>, 200));
      const { challenge, passkey } = expectStatus(first, 202);
      const second = await answer(app, { challenge, passkey: key.answer(passkey ?? assert.fail()) });
      return personOf(ana, expectStatus(second, 200));
    };
    return { ana, thief: await again(), again, key, keyId, who, signIn };
  }

  async function linkCorp(ana: Person, who: Somebody): Promise<void> {
    const { url } = expectStatus(await ana.call<{ url: string }>('POST', '/v1/me/identities/corp', {}), 200);
    const browser = new Browser();
    const { code } = toldAt((await browser.go(await visit(browser, url, who))).to);
    expectStatus(await ana.call<Identity>('POST', '/v1/me/identities', { code }), 201);
  }

  /** By what its person signs in and is told, and what is open. */
  const standing = async ({ id }: Person) =>
    JSON.stringify(
      await place.sql(
        `select email, phone, (select count(*) from passkeys where user_id = $1) as passkeys,
          (select count(*) from totp where user_id = $1 and confirmed_at is not null) as apps,
          (select count(*) from identities where user_id = $1) as identities,
          (select count(*) from sessions where user_id = $1 and revoked_at is null) as sessions,
          (select count(*) from sessions where user_id = $1 and proved_at is not null) as proved
        from users where id = $1`,
        [id],
      ),
    );

  const refusalOf = async (finished: Promise<Answer<unknown>>): Promise<string> => {
    const { status, body } = await finished;
    return status < 300 ? `done (${status})` : String((body as { code?: string }).code);
  };
  const refusals = [
    'step_up_required',
    'code_expired',
    'sign_in_expired',
    'session_revoked',
    'factor_exists',
    'invalid_passkey',
  ];

  for (const { what, begin, needsFactor = false, noSession = false } of begun) {
    describe(what, () => {
      it('is finished by who began it, where nothing came between', async () => {
        const scene = await stage({ factored: needsFactor, elsewhere: false });
        const { status, body } = await (await begin(scene))(scene.thief);
        assert.ok(status < 300, JSON.stringify(body));
      });

      for (const { how, happen, factor, elsewhere = false, endsSession = false } of voiding) {
        if (needsFactor && factor === 'never') continue;
        if (noSession && (how === 'its session is ended' || how === 'it is signed out')) continue;
        const factored = needsFactor || factor === 'before';
        it(`is not finished after ${how}`, async () => {
          const scene = await stage({ factored, elsewhere });
          const finish = await begin(scene);
          await happen(scene);
          const before = await standing(scene.ana);
          const refusal = await refusalOf(finish(endsSession ? byRest(scene.thief) : scene.thief));
          assert.ok(refusals.includes(refusal), refusal);
          assert.equal(await standing(scene.ana), before);
        });
        if (endsSession && how === 'its session is ended')
          it('is not finished in another session either', async () => {
            const scene = await stage({ factored, elsewhere });
            const finish = await begin(scene);
            const next = await scene.again();
            await happen(scene);
            const before = await standing(scene.ana);
            assert.ok(refusals.includes(await refusalOf(finish(next))));
            assert.equal(await standing(scene.ana), before);
          });
      }
    });
  }

  describe('in the session that changes something itself', () => {
    const own = voiding.filter(({ how }) => /first factor|account elsewhere|recovery codes/.test(how));
    for (const { what, begin } of begun.filter(({ needsFactor }) => !needsFactor))
      for (const { how, happen, factor, elsewhere = false } of own) {
        if (what === 'an authenticator app' && how === 'a first factor is an app') continue;
        // With an account elsewhere its codes end, wherever they were begun.
        if (what.startsWith('a link') && elsewhere) continue;
        it(`${what} goes on after ${how}`, async () => {
          const scene = await stage({ factored: factor === 'before', elsewhere });
          const finish = await begin({ ...scene, thief: scene.ana });
          await happen(scene);
          const { status, body } = await finish(scene.ana);
          assert.ok(status < 300, JSON.stringify(body));
        });
      }
  });

  describe('at the same moment as what voids it', () => {
    let meeting: Meeting;
    before(async () => {
      meeting = await openMeeting(app);
    });
    after(() => meeting.close());

    const races: readonly Race[] = [
      { how: 'the password is changed', held: 'select from users where id = $1 for update', of: 'ana' },
      {
        how: 'a first factor is a passkey',
        held: 'select from users where id = $1 for update',
        of: 'ana',
        // Beginning one waits for that row, too.
        ready: ({ ana }) => newPasskey(ana, new Authenticator()),
      },
      { how: 'its session is ended', held: 'select from sessions where id = $1 for update', of: 'thief' },
      // Which holds nobody but the session.
      { how: 'it is signed out', held: 'select from sessions where id = $1 for update', of: 'thief' },
    ];
    for (const { what, begin } of begun.filter(({ needsFactor }) => !needsFactor))
      for (const { how, held, of, ready } of races)
        it(`${what} is not finished behind it: ${how}`, async () => {
          const scene = await stage({ factored: false, elsewhere: false });
          const finish = await begin(scene);
          const { happen } = voiding.find((each) => each.how === how) ?? assert.fail();
          const now = ready ? await ready(scene) : () => happen(scene);
          const id = of === 'ana' ? scene.ana.id : scene.thief.session.id;
          const [, refusal] = await meeting.meet<unknown>(held, id, [
            now,
            () => refusalOf(finish(byRest(scene.thief))),
          ]);
          assert.ok(refusals.includes(String(refusal)), String(refusal));
        });
  });
});
