import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import { ruleOf } from '../../domain/access/index.ts';
import type { Person } from '../factories/person.ts';
import type { TestApp } from '../setup/app.ts';
import type { Answer } from './rest.ts';

/** What needs a recent proof of who asks. */
export const guarded = (Object.values(endpoints) as Endpoint[]).filter(({ stepUp }) => stepUp);

const token = { name: 'Deploy', scopes: ['profile:read'] };
/** What lets a call through to where it is asked for a proof. */
const bodies: Record<string, object> = {
  setEmail: { email: 'new@example.test' },
  beginIdentity: {},
  setPhone: { phone: '+4915112345678' },
  transferOwnership: { userId: '01900000-0000-7000-8000-000000000000' },
  changeMember: { role: 'owner' },
  createToken: token,
  createBot: { displayName: 'Robot', token },
  createBotToken: token,
};

const nobody = '01900000-0000-7000-8000-000000000000';

/** Asks for it as it is well-formed, of what is not there. */
export const askFor = <Body>(
  person: Person,
  { operationId, method, path }: Endpoint,
  provider: string,
): Promise<Answer<Body>> =>
  person.call<Body>(
    method.toUpperCase(),
    path.replaceAll('{provider}', provider).replaceAll(/\{\w+\}/g, nobody),
    bodies[operationId],
  );

/** What is open to a role of the organisation says nothing of a proof to anybody else. */
export async function giveRole(app: TestApp, { id }: Person, operationId: string): Promise<void> {
  const rule = ruleOf(operationId);
  if (rule.who === 'staff') await app.database.run(`update users set role = '${rule.role}' where id = '${id}'`);
}
