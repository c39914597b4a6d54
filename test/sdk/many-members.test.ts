import assert from 'node:assert/strict';
import { limits } from '../../contracts/limits.ts';
import { growTo } from '../factories/crowd.ts';
import { type Person, makeGroup, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, clientsOfEachTest, eager, holds } from '../support/client.ts';
import { expectStatus } from '../support/rest.ts';

describe('members that are as many as are named', () => {
  let app: TestApp;
  const clients = clientsOfEachTest();
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  const online = async (person: Person) => {
    const client = await clientOf(app, person, { limits: eager });
    clients.push(client);
    return client;
  };

  it('when one too many came and went again, then the client names all of them, as a fresh one does', async () => {
    const [ana, bob, cleo] = await registerPeople(app, 'Ana', 'Bob', 'Cleo');
    const group = await makeGroup(ana, [bob]);
    await growTo(app, group, limits.namedMembers);
    const client = await online(ana);
    const members = () => client.conversation(group.id)?.members?.length;
    await holds(client, () => members() === limits.namedMembers);
    const path = `/v1/conversations/${group.id}/members`;
    expectStatus(await ana.call('POST', path, { userIds: [cleo.id] }), 200);
    await holds(client, () => client.conversation(group.id)?.members === null);
    expectStatus(await ana.call('DELETE', `${path}/${cleo.id}`), 204);
    await holds(client, () => members() === limits.namedMembers);
    const fresh = await online(ana);
    assert.deepEqual(client.conversation(group.id)?.members, fresh.conversation(group.id)?.members);
  });
});
