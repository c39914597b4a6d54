import assert from 'node:assert/strict';
import type { Me, SecondFactorNeeded, Session } from '../../contracts/entities/index.ts';
import {
  Browser,
  type Elsewhere,
  comeBack,
  otherReturn,
  proofKey,
  returnTo,
  somebody,
  startElsewhere,
  toldAt,
  visit,
} from '../support/elsewhere.ts';
import { type Answer, call, expectProblem, expectStatus } from '../support/rest.ts';

interface SignedIn {
  user: Me;
  session: Session;
}

describe('signing in elsewhere', () => {
  let place: Elsewhere;
  before(async () => {
    place = await startElsewhere();
  });
  after(() => place.stop());

  const exchange = <Body = SignedIn>(code: string | undefined, extra: object = {}): Promise<Answer<Body>> =>
    call(place.app.url, 'POST', '/v1/auth/oauth/exchange', { body: { code, ...extra } });

  for (const provider of ['corp', 'github'])
    it(`by ${provider} makes an account with the address that it vouches for, and finds it again`, async () => {
      const who = somebody();
      const first = await comeBack(place, who, { provider });
      assert.deepEqual([first.at, first.provider], [returnTo, provider]);
      const { user, session } = expectStatus(await exchange(first.code), 200);
      assert.equal(user.displayName, 'Ana');
      assert.deepEqual(user.email, { address: who.email, verified: true });
      expectStatus(await call(place.app.url, 'GET', '/v1/me', { token: session.accessToken }), 200);
      const again = expectStatus(await exchange((await comeBack(place, who, { provider })).code), 200);
      assert.equal(again.user.id, user.id);
    });
});
