import assert from 'node:assert/strict';
import { type HomingError, createClient, memoryStorage } from '../../sdk/index.ts';
import { registerPerson, verifyContacts } from '../factories/person.ts';
import { Browser, type Elsewhere, otherReturn, somebody, startElsewhere, visit } from '../support/elsewhere.ts';

describe('the client of who signs in elsewhere', () => {
  let place: Elsewhere;
  before(async () => {
    place = await startElsewhere();
  });
  after(() => place.stop());

  const refused = (code: string) => (error: HomingError) => error.code === code;
  const newClient = () => createClient({ url: place.app.url, storage: memoryStorage() });
  const through = async (start: string, who = somebody()) => {
    const browser = new Browser();
    return (await browser.go(await visit(browser, start, who))).to;
  };

  it('goes out by an address and comes back signed in', async () => {
    const client = newClient();
    const who = somebody();
    const back = await through(await client.signInWith('corp', { returnTo: otherReturn }), who);
    assert.ok(back.startsWith(otherReturn));
    const me = await client.finishSignInWith(back);
    assert.equal(me.email?.address, who.email);
    await client.start();
    assert.equal(client.connection.state, 'online');
    await client.stop();
  });

  it('takes no code that another began: whoever is sent one is not signed in as its sender', async () => {
    const [mallory, ana] = [newClient(), newClient()];
    const back = await through(await mallory.signInWith('github'));
    await assert.rejects(ana.finishSignInWith(back), refused('sign_in_expired'));
    await ana.signInWith('github');
    await assert.rejects(ana.finishSignInWith(back), refused('sign_in_expired'));
  });

  it('is told what went wrong there', async () => {
    const ana = await registerPerson(place.app);
    await verifyContacts(place.app, ana);
    const client = newClient();
    const back = await through(await client.signInWith('corp'), { ...somebody(), email: ana.email });
    await assert.rejects(client.finishSignInWith(back), refused('link_required'));
    await client.signInWith('corp');
    await assert.rejects(client.finishSignInWith(`${otherReturn}#error=<b>`), refused('sign_in_expired'));
  });
});
