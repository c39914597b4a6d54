import assert from 'node:assert/strict';
import type { Device } from '../../contracts/entities/index.ts';
import { retireUnseen } from '../../domain/attention/index.ts';
import { type Person, read, registerDevice, send } from '../factories/person.ts';
import { type ByHand, attentionByHand } from '../support/by-hand.ts';
import { expectStatus } from '../support/rest.ts';

const minute = 60_000;

describe('a device that was not seen', () => {
  let hand: ByHand;
  before(async function () {
    this.timeout(60_000);
    hand = await attentionByHand();
  });
  after(() => hand.close());
  beforeEach(() => hand.reset());

  /** Lets the device, and the session that registered it, be seen last so many days ago. */
  const unseenFor = async (person: Person, days: number, { token = '%', session = days } = {}) => {
    await hand.sql.query(
      `update devices set last_seen_at = now() - $2 * interval '1 day' where user_id = $1 and push_token like $3`,
      [person.id, days, token],
    );
    await hand.sql.query(`update sessions set last_used_at = now() - $2 * interval '1 day' where user_id = $1`, [
      person.id,
      session,
    ]);
  };
  const later = async (person: Person, minutes: number) => {
    hand.pass(minutes * minute);
    return hand.walk(person);
  };
  const devicesOf = async (person: Person) =>
    expectStatus(await person.call<{ items: Device[] }>('GET', '/v1/me/devices'), 200).items;
  const seenAgo = async (person: Person) => Date.now() - Date.parse((await devicesOf(person))[0]?.lastSeenAt ?? '');

  it('for a month is pushed to and not counted on: the mail comes as without push', async () => {
    const { ana, bob, direct } = await hand.pair();
    await unseenFor(bob, 31);
    await send(ana, direct.id, 'hello');
    assert.deepEqual(await later(bob, 1), ['push', 'wait email step_delay']);
    assert.deepEqual(await later(bob, 1), ['email', 'wait sms step_delay']);
  });

  it('is counted on where another one was', async () => {
    const { ana, bob, direct } = await hand.pair();
    const other = await registerDevice(bob);
    await unseenFor(bob, 31, { token: bob.pushToken });
    await send(ana, direct.id, 'hello');
    assert.deepEqual(await later(bob, 2), ['push', 'wait email step_delay']);
    assert.deepEqual(hand.push.sent.map(({ token }) => token).sort(), [bob.pushToken, other].sort());
  });

  it('was seen when its session was last renewed', async () => {
    const { ana, bob, direct } = await hand.pair();
    await unseenFor(bob, 300, { session: 1 });
    assert.ok((await seenAgo(bob)) < 25 * 60 * minute);
    assert.deepEqual(
      (await devicesOf(bob)).map(({ pushState }) => pushState),
      ['active'],
    );
    await send(ana, direct.id, 'hello');
    assert.deepEqual(await later(bob, 2), ['push', 'wait email step_delay']);
  });

  it('for nine months is dead: nothing is pushed to it, and it is called so once', async () => {
    const { ana, bob, direct } = await hand.pair();
    const stored = () =>
      hand.rows(
        "select push_state, last_seen_at > now() - interval '2 days' as seen from devices where user_id = $1",
        bob.id,
      );
    while ((await retireUnseen(hand.deps)) > 0);
    await unseenFor(bob, 271);
    await send(ana, direct.id, 'hello');
    assert.deepEqual(await later(bob, 1), ['wait email step_delay']);
    assert.deepEqual(hand.push.sent, []);
    const other = await hand.reachable('Cy');
    await unseenFor(other, 271, { session: 1 });
    assert.equal(await retireUnseen(hand.deps), 2);
    assert.deepEqual(await stored(), [{ push_state: 'dead', seen: false }]);
    assert.equal(await retireUnseen(hand.deps), 0, 'whose session was renewed is looked at no more, too');
    assert.deepEqual(
      (await devicesOf(other)).map(({ pushState }) => pushState),
      ['active'],
    );
    expectStatus(await read(bob, direct.id, 1), 200);
    await registerDevice(bob, bob.pushToken);
    await send(ana, direct.id, 'back again');
    assert.deepEqual((await later(bob, 1)).slice(-2), ['push', 'wait email step_delay']);
  });
});
