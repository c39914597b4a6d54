import assert from 'node:assert/strict';
import type { Passkey, PasskeyCreation } from '../../contracts/entities/index.ts';
import { type Person, password, registerPerson, signInAgain, verifyContacts } from '../factories/person.ts';
import { Authenticator } from '../support/authenticator.ts';
import { type Elsewhere, startElsewhere } from '../support/elsewhere.ts';
import { beginApp } from '../support/factors.ts';
import { clockOf } from '../support/clock.ts';
import { askFor, giveRole, guarded } from '../support/guarded.ts';
import { type Meeting, openMeeting } from '../support/meeting.ts';
import { type Answer, expectProblem, expectStatus } from '../support/rest.ts';

const another = 'another long battery staple';
type Refusal = Answer<{ code?: string }>;

describe('at the same moment as what voids the proof that it needs', () => {
  let place: Elsewhere;
  let meeting: Meeting;
  before(async () => {
    place = await startElsewhere({ env: { HOMING_ALLOWED_ORIGINS: 'http://homing.test' } });
    meeting = await openMeeting(place.app);
  });
  after(async () => {
    await meeting.close();
    await place.stop();
  });

  const change = (who: Person) =>
    who.call<{ code?: string }>('POST', '/v1/me/password', { oldPassword: password, newPassword: another });
  const heldPerson = 'select from users where id = $1 for update';
  const heldSession = 'select from sessions where id = $1 for update';

  async function twoSessions(): Promise<{ ana: Person; thief: Person }> {
    const ana = await registerPerson(place.app);
    await verifyContacts(place.app, ana);
    return { ana, thief: await signInAgain(place.app, ana) };
  }

  /** A new passkey that waits to be taken. */
  async function newPasskey(person: Person): Promise<() => Promise<Refusal>> {
    const asked = expectStatus(await person.call<PasskeyCreation>('POST', '/v1/me/passkeys/begin'), 200);
    const passkey = new Authenticator().register(asked);
    return () => person.call('POST', '/v1/me/passkeys', { name: 'Phone', passkey });
  }

  const voiding = [
    {
      how: 'the password is changed',
      held: heldPerson,
      of: 'ana',
      begin: ({ ana }: { ana: Person }) => Promise.resolve(() => change(ana)),
      refused: [403, 'step_up_required'],
    },
    {
      how: 'a first factor is switched on',
      held: heldPerson,
      of: 'ana',
      begin: ({ ana }: { ana: Person }) => newPasskey(ana),
      refused: [403, 'step_up_required'],
    },
    {
      how: 'its session is ended',
      held: heldSession,
      of: 'thief',
      begin: ({ ana, thief }: { ana: Person; thief: Person }) =>
        Promise.resolve(() => ana.call<{ code?: string }>('DELETE', `/v1/sessions/${thief.session.id}`)),
      refused: [401, 'session_revoked'],
    },
  ] as const;

  for (const { how, held, of, begin, refused } of voiding)
    describe(how, () => {
      for (const operation of guarded)
        it(`and ${operation.operationId} is refused behind it`, async () => {
          const scene = await twoSessions();
          await giveRole(place.app, scene.thief, operation.operationId);
          const happen = await begin(scene);
          const id = of === 'ana' ? scene.ana.id : scene.thief.session.id;
          const [happened, asked] = await meeting.meet<Refusal>(held, id, [
            happen,
            () => askFor(scene.thief, operation, 'rival'),
          ]);
          assert.ok(Number(happened?.status) < 300, JSON.stringify(happened?.body));
          assert.deepEqual([asked?.status, asked?.body.code], refused);
        });
    });

  describe('a password is not changed', () => {
    it('by the former one alone behind a first factor', async () => {
      const { ana, thief } = await twoSessions();
      const [added, changed] = await meeting.meet<Refusal>(heldPerson, ana.id, [
        await newPasskey(ana),
        () => change(thief),
      ]);
      expectStatus(added as never, 201);
      expectProblem(changed as never, 403, 'step_up_required');
    });

    it('in a session that was ended before it', async () => {
      const { ana, thief } = await twoSessions();
      const [ended, changed] = await meeting.meet<Refusal>(heldSession, thief.session.id, [
        () => ana.call('DELETE', `/v1/sessions/${thief.session.id}`),
        () => change(thief),
      ]);
      expectStatus(ended as never, 204);
      expectProblem(changed as never, 401, 'session_revoked');
    });

    it('to one that was judged beside a factor, behind the end of that', async () => {
      const ana = await registerPerson(place.app);
      const key = await (await newPasskey(ana))();
      const { id } = expectStatus(key as never as Answer<{ passkey: Passkey }>, 201).passkey;
      const [removed, changed] = await meeting.meet<Refusal>(heldPerson, ana.id, [
        () => ana.call('DELETE', `/v1/me/passkeys/${id}`),
        () => ana.call('POST', '/v1/me/password', { oldPassword: password, newPassword: 'eight-and-more' }),
      ]);
      expectStatus(removed as never, 204);
      expectProblem(changed as never, 409, 'conflict');
    });
  });

  it('and whoever is held by the chain of the audit has nothing more to do', async () => {
    const ana = await registerPerson(place.app);
    const clock = clockOf(place.app);
    expectStatus((await (await newPasskey(ana))()) as never, 201);
    const { code } = await beginApp(ana, clock);
    const [confirmed, codes] = await meeting.meet<{ status?: number; rowCount?: number }>(
      'select from audit_end where $1::text is not null for update',
      ana.id,
      [
        () => ana.call('POST', '/v1/me/totp/confirm', { code: code() }),
        // It waits for whoever has taken them away, who waits already.
        () => place.app.database.run(`delete from recovery_codes where user_id = '${ana.id}'`) as never,
      ],
    );
    assert.equal(confirmed?.status, 200);
    assert.equal(codes?.rowCount, 0);
  });
});
