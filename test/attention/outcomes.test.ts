import assert from 'node:assert/strict';
import type { Plan } from '../../contracts/workflows/escalate-unread.ts';
import { insertReports } from '../../db/queries/provider-reports.ts';
import { applyReports } from '../../domain/attention/index.ts';
import { toRow } from '../../domain/attention/reports.ts';
import type { ProviderReport, SendOutcome } from '../../domain/deps.ts';
import { ProviderFailing } from '../../domain/errors.ts';
import { type Person, deleteMessage, makeGroup, read, registerDevice, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';

const minute = 60_000;
const textReport: ProviderReport = {
  ...{ key: '', channel: 'sms', fact: 'delivered', says: null, code: null, attemptId: null, address: null, at: null },
};
const refusal = (kind: Exclude<SendOutcome['class'], 'ok'>, code = 'CODE'): SendOutcome => ({
  class: kind,
  provider: 'fcm',
  code,
});

describe('what comes of a step', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  type Reached = Awaited<ReturnType<ByHand['reachable']>>;
  /** A plan to send by one channel, and to whom; nothing was sent yet. */
  const planned = async (channel: 'push' | 'email' | 'sms', texts = ['hello']) => {
    const { ana, bob, direct } = await hand.pair();
    for (const text of texts) await send(ana, direct.id, text);
    const only = Object.fromEntries(['push', 'email', 'sms'].map((name) => [name, name === channel]));
    expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels: only, preview: 'full' }), 200);
    while ((await hand.arm()) > 0);
    await hand.start();
    hand.pass(31 * minute);
    return { ana, bob, direct, plan: await hand.decide(bob) };
  };
  const attempt = async (bob: Reached) => (await hand.attempts(bob))[0];
  /** One try; a failing provider is told by its code. */
  const tryOnce = async (bob: Reached, plan: Plan, extra = {}) => {
    try {
      return (await hand.notify(bob, plan, extra)).result;
    } catch (error) {
      if (error instanceof ProviderFailing) return error.code;
      throw error;
    }
  };

  describe('a mail', () => {
    it('is tried on after any number of known failures', async () => {
      const { bob, plan } = await planned('email');
      hand.email.answer = (_mail, n) => (n <= 5 ? refusal('transient', '503') : undefined);
      for (let n = 0; n < 5; n += 1) assert.equal(await tryOnce(bob, plan), '503');
      assert.equal(await tryOnce(bob, plan), 'sent');
      assert.equal((await attempt(bob))?.state, 'accepted');
    });

    it('whose fate stays unknown is settled, repeated twice, and then a person’s business; retry sends it again', async () => {
      const { bob, plan } = await planned('email');
      hand.email.answer = () => refusal('ambiguous', 'timeout');
      for (let n = 0; n < 3; n += 1) {
        assert.equal(await tryOnce(bob, plan), 'timeout');
        assert.equal(await tryOnce(bob, plan), 'ambiguous', 'not before it has had time to settle');
        hand.pass(3 * minute);
      }
      assert.equal(hand.email.sent.length, 3);
      assert.equal(await tryOnce(bob, plan), 'stuck');
      assert.deepEqual(
        [(await attempt(bob))?.state, (await attempt(bob))?.error_class],
        ['unknown', 'email_outcome_unknown'],
      );
      hand.email.answer = () => undefined;
      assert.equal(await tryOnce(bob, plan, { again: true }), 'sent');
      assert.equal(hand.email.sent.length, 4);
      assert.equal(new Set(hand.email.sent.map(({ messageId }) => messageId)).size, 1);
    });
  });

  describe('a text', () => {
    it('whose fate is unknown is looked for after it had time to settle, and never sent again', async () => {
      const { bob, plan } = await planned('sms');
      hand.sms.answer = () => refusal('ambiguous', 'timeout');
      assert.equal(await tryOnce(bob, plan), 'timeout');
      hand.found = { providerId: 'SM1' };
      assert.equal(await tryOnce(bob, plan), 'ambiguous', 'a minute for its report');
      hand.pass(minute);
      assert.equal(await tryOnce(bob, plan), 'sent');
      assert.equal(hand.sms.sent.length, 1);
    });

    it('that stood in its queue until it was of no use is not sent, and not decided on again', async () => {
      const { bob, plan } = await planned('sms');
      hand.pass(4 * 60 * minute);
      assert.deepEqual(await hand.notify(bob, plan), { result: 'not-needed', reason: 'expired' });
      assert.deepEqual([hand.sms.sent.length, await attempt(bob)], [0, undefined]);
      assert.equal((await hand.decide(bob)).kind, 'finished');
    });

    it('is not given up because Twilio cannot be asked for it', async () => {
      const { bob, plan } = await planned('sms');
      hand.sms.answer = () => refusal('ambiguous', 'timeout');
      await tryOnce(bob, plan);
      hand.pass(minute);
      hand.found = undefined;
      assert.equal(await tryOnce(bob, plan), 'cannot_look');
      hand.found = { providerId: 'SM1' };
      assert.equal(await tryOnce(bob, plan), 'sent');
      assert.equal(hand.sms.sent.length, 1);
    });

    it('that an operator asks for again is sent once more, however often that request itself is retried', async () => {
      const { bob, plan } = await planned('sms');
      hand.sms.answer = () => refusal('ambiguous', 'timeout');
      await tryOnce(bob, plan);
      hand.pass(minute);
      assert.equal(await tryOnce(bob, plan), 'stuck');
      assert.equal(await tryOnce(bob, plan), 'stuck', 'a worker died with the answer');
      const pressed = { again: true, request: 'run/7' };
      assert.equal(await tryOnce(bob, plan, pressed), 'timeout');
      hand.pass(minute);
      assert.equal(await tryOnce(bob, plan, pressed), 'stuck');
      assert.equal(await tryOnce(bob, plan, pressed), 'stuck', 'once more');
      assert.equal(hand.sms.sent.length, 2);
      assert.equal(
        await tryOnce(bob, plan, { again: true, request: 'run/9' }),
        'timeout',
        'the button was pressed again',
      );
      assert.equal(hand.sms.sent.length, 3);
    });

    for (const [fact, state, settles] of [
      ['delivered', 'accepted', true],
      ['undelivered', 'failed', true],
      ['other', 'unknown', false],
    ] as const) {
      it(`that waits for a person ${settles ? 'needs none' : 'still needs one'} once it is told to be ${fact}`, async () => {
        const { bob, plan } = await planned('sms');
        hand.sms.answer = () => refusal('ambiguous', 'timeout');
        await tryOnce(bob, plan);
        hand.pass(minute);
        assert.equal(await tryOnce(bob, plan), 'stuck');
        const { id: attemptId } = (await attempt(bob)) as { id: string };
        const stuck = [{ channel: 'sms' as const, attemptId }];
        assert.equal((await hand.decide(bob, { stuck })).settled, undefined);
        await insertReports(hand.deps.db, [
          toRow(hand.deps, 'twilio', { ...textReport, key: attemptId, fact, attemptId }),
        ]);
        while ((await applyReports(hand.deps)) > 0);
        assert.equal((await attempt(bob))?.state, state);
        assert.equal((await hand.attention(bob))?.nudge_at != null, settles, 'its workflow is told');
        const { settled } = await hand.decide(bob, { stuck });
        assert.deepEqual(settled, settles ? [attemptId] : undefined);
      });
    }
  });

  for (const channel of ['push', 'email', 'sms'] as const) {
    describe(`between the claim and the call of a ${channel}`, () => {
      const sent = () => ({ push: hand.push, email: hand.email, sms: hand.sms })[channel].sent.length;
      /** The first try stands still after its claim, until it is let go on. */
      const stopped = async () => {
        const { bob, direct, plan } = await planned(channel);
        const { circuits } = hand.deps;
        const [claimed, on] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        hand.deps.circuits = {
          ...circuits,
          async admit(...what) {
            hand.deps.circuits = circuits;
            claimed.resolve();
            await on.promise;
            return circuits.admit(...what);
          },
        };
        const first = hand.notify(bob, plan);
        await claimed.promise;
        return { bob, direct, plan, goOn: () => (on.resolve(), first) };
      };

      it('another worker may have tried the same: only one of them calls', async () => {
        const { bob, plan, goOn } = await stopped();
        assert.equal((await hand.notify(bob, plan)).result, 'sent');
        await assert.rejects(goOn(), { code: 'superseded' });
        assert.equal(sent(), 1);
        assert.equal((await attempt(bob))?.state, 'accepted');
      });

      it('the person may have read: nothing is called', async () => {
        const { bob, direct, goOn } = await stopped();
        expectStatus(await read(bob, direct.id, 1), 200);
        assert.deepEqual(await goOn(), { result: 'not-needed', reason: 'read_before_send' });
        assert.deepEqual([sent(), (await attempt(bob))?.state], [0, 'dropped']);
      });
    });
  }

  describe('a receipt of the person’s own device', () => {
    const receipt = (person: Person, id: string, body: object) =>
      person.call('PUT', `/v1/me/notifications/${id}/receipt`, body);
    const heard = (id: string) =>
      hand.rows<{ source: string; kind: string }>(
        `select source, kind from attempt_events where attempt_id = $1 and source = 'client' order by at, kind`,
        id,
      );
    const reported = async (id: string) =>
      (await hand.rows<{ reported: string | null }>('select reported from attempts where id = $1', id))[0]?.reported;

    it('says how far the notification has come, once, and never back', async () => {
      const { bob, plan } = await planned('push');
      await tryOnce(bob, plan);
      const { id } = (await attempt(bob)) as { id: string };
      for (const event of ['shown', 'shown', 'opened', 'shown']) expectStatus(await receipt(bob, id, { event }), 204);
      assert.equal(await reported(id), 'engaged');
      assert.deepEqual(
        (await heard(id)).map(({ kind }) => kind),
        ['shown', 'opened'],
      );
      const armed = await hand.rows('select from armed where user_id = $1', bob.id);
      assert.equal(armed.length, 1, 'it is not read by that');
    });

    it('settles what nobody knew of the call', async () => {
      const { bob, plan } = await planned('sms');
      hand.sms.answer = () => refusal('ambiguous', 'timeout');
      await tryOnce(bob, plan);
      hand.pass(minute);
      assert.equal(await tryOnce(bob, plan), 'stuck');
      const { id } = (await attempt(bob)) as { id: string };
      expectStatus(await receipt(bob, id, { event: 'opened' }), 204);
      assert.equal((await attempt(bob))?.state, 'accepted');
      assert.notEqual((await hand.attention(bob))?.nudge_at, null);
    });

    it('is refused for what is not theirs, and where it says nothing that is known', async () => {
      const { ana, bob, plan } = await planned('push');
      await tryOnce(bob, plan);
      const { id } = (await attempt(bob)) as { id: string };
      assert.equal(expectStatus(await receipt(ana, id, { event: 'shown' }), 404).code, 'not_found');
      assert.equal((await receipt(bob, id, { event: 'liked' })).status, 400);
      assert.equal((await receipt(bob, 'x', { event: 'shown' })).status, 400);
      assert.deepEqual(await heard(id), []);
    });
  });

  describe('a push', () => {
    it('that one device has taken is tried again for the other alone', async () => {
      const { bob, plan } = await planned('push');
      const other = await registerDevice(bob);
      hand.push.answer = ({ token }, n) => (token === other && n <= 2 ? refusal('transient', '503') : undefined);
      assert.equal(await tryOnce(bob, plan), '503');
      assert.equal((await attempt(bob))?.state, 'claimed');
      assert.equal(await tryOnce(bob, plan), 'sent');
      const tokens = hand.push.sent.map(({ token }) => token);
      assert.deepEqual(tokens.filter((token) => token === bob.pushToken).length, 1);
      assert.deepEqual(tokens.filter((token) => token === other).length, 2);
    });

    it('never says more than its bytes hold, and cuts no character in two', async () => {
      const family = '👨‍👩‍👧‍👦';
      const { bob, plan } = await planned('push', [family.repeat(400)]);
      assert.equal(await tryOnce(bob, plan), 'sent');
      const [push] = hand.push.sent;
      const shown = { title: push?.title, body: push?.body };
      const bytes = Buffer.byteLength(JSON.stringify([{ ...push?.data, ...shown }, shown]));
      assert.ok(bytes <= 3_500, `${bytes} bytes`);
      assert.match(push?.body ?? '', new RegExp(`^(${family})+…$`, 'u'));
    });

    it('whose content is refused fails alone: others go on being pushed', async () => {
      const { bob, plan } = await planned('push');
      hand.push.answer = () => refusal('content_rejected', 'INVALID_ARGUMENT');
      assert.equal(await tryOnce(bob, plan), 'unreachable');
      assert.deepEqual(
        [(await attempt(bob))?.state, (await attempt(bob))?.error_class],
        ['failed', 'content_rejected'],
      );
      assert.equal(hand.logged.filter(([level]) => level === 'error').length, 1);
    });

    it('that was refused has told nothing, and the story does not say that it has', async () => {
      const { bob, plan } = await planned('push');
      const saidLast = async () => {
        await hand.decide(bob);
        const text = `select reason from decisions where user_id = $1 and step = 'push' order by at desc, id desc limit 1`;
        return (await hand.rows<{ reason: string }>(text, bob.id))[0]?.reason;
      };
      hand.push.answer = () => refusal('content_rejected', 'INVALID_ARGUMENT');
      await tryOnce(bob, plan);
      assert.equal(await saidLast(), 'provider_rejected');
    });

    it('does not cost a token that was registered while it was sent', async () => {
      const { bob, plan } = await planned('push');
      hand.push.answer = async ({ token }) => {
        // The app registers its token anew meanwhile: later than this send, which still used the clock from before.
        await hand.sql.query(`update devices set push_token_at = now() + interval '1 day' where push_token = $1`, [
          token,
        ]);
        return refusal('recipient_dead', 'UNREGISTERED');
      };
      assert.equal(await tryOnce(bob, plan), 'unreachable');
      const [device] = await hand.rows<{ push_state: string }>(
        'select push_state from devices where user_id = $1',
        bob.id,
      );
      assert.equal(device?.push_state, 'active');
    });
  });

  describe('is not sent', () => {
    it('when it was read between the first try and the next', async () => {
      const { bob, direct, plan } = await planned('email');
      hand.email.answer = () => refusal('transient', '503');
      assert.equal(await tryOnce(bob, plan), '503');
      expectStatus(await read(bob, direct.id, 1), 200);
      assert.deepEqual(await hand.notify(bob, plan), { result: 'not-needed', reason: 'read_before_send' });
      assert.equal(hand.email.sent.length, 1);
      assert.equal((await attempt(bob))?.state, 'dropped');
    });

    it('when what it covers was deleted', async () => {
      const { ana, bob, direct, plan } = await planned('email');
      const { rows } = await hand.sql.query<{ id: string }>('select id from messages where conversation_id = $1', [
        direct.id,
      ]);
      hand.email.answer = () => refusal('transient', '503');
      assert.equal(await tryOnce(bob, plan), '503');
      await deleteMessage(ana, direct.id, rows[0]?.id ?? '');
      assert.equal(await tryOnce(bob, plan), 'not-needed');
      assert.equal((await attempt(bob))?.state, 'dropped');
      assert.equal(hand.email.sent.length, 1);
    });

    it('when another episode has begun', async () => {
      const { bob, plan } = await planned('email');
      await hand.sql.query('update attention set episode = episode + 1 where user_id = $1', [bob.id]);
      assert.equal(await tryOnce(bob, plan, { episode: 1 }), 'not-needed');
      assert.equal(hand.email.sent.length, 0);
    });

    it('when the episode was closed meanwhile, also by a retry', async () => {
      const { bob, plan } = await planned('email');
      hand.email.answer = () => refusal('transient', '503');
      assert.equal(await tryOnce(bob, plan), '503');
      assert.equal((await hand.decide(bob, { closed: true })).kind, 'finished');
      assert.equal(await tryOnce(bob, plan), 'not-needed');
      assert.equal(hand.email.sent.length, 1);
    });
  });

  it('a step that was given up is no longer claimed: its attempt has failed, or its fate is unknown', async () => {
    const { bob, plan } = await planned('email');
    const attemptId = plan.kind === 'notify' ? plan.attemptId : '';
    hand.email.answer = () => refusal('transient', '503');
    await tryOnce(bob, plan);
    await hand.decide(bob, { stuck: [{ channel: 'email', attemptId }] });
    assert.deepEqual([(await attempt(bob))?.state, (await attempt(bob))?.error_class], ['failed', 'provider_failing']);
    hand.email.answer = () => undefined;
    assert.equal(await tryOnce(bob, plan, { again: true }), 'sent');
    assert.equal((await attempt(bob))?.state, 'accepted');
  });

  it('two conversations ride in one mail', async () => {
    const { ana, bob } = await hand.pair();
    const groups = [await makeGroup(ana, [bob], 'One'), await makeGroup(ana, [bob], 'Two')] as const;
    for (const { id } of groups) await send(ana, id, 'hello');
    hand.pass(2_000);
    await hand.walk(bob);
    hand.pass(10 * minute);
    await hand.walk(bob);
    assert.match(hand.email.sent[0]?.subject ?? '', /2 new messages in 2 conversations/);
  });
}).timeout(30_000);
