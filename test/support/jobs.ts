import type pg from 'pg';
import type { UserRole } from '../../contracts/entities/index.ts';
import {
  type Person,
  makeDirect,
  phoneNumber,
  registerPeople,
  registerPerson,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { type TestApp, testLadder } from '../setup/app.ts';
import type { Entrance } from './doors.ts';
import { rule } from './inbox.ts';
import { operatorsOf } from './operators.ts';
import { expectStatus } from './rest.ts';
import { until } from './until.ts';

/** What is stuck is so for its own reason, and not because a busy machine took longer than a step is given. */
export const patientLadder = `${testLadder} give-up=30s`;

/** Somebody with that role of the organisation. */
export async function staff(entrance: Entrance, db: pg.Client, role: UserRole): Promise<Person> {
  const person = await registerPerson(entrance, role);
  await db.query('update users set role = $2 where id = $1', [person.id, role]);
  return person;
}

/** Somebody who is told by text alone, something unread of theirs, and the id of the job that tells them. */
export async function textOnly(app: TestApp, entrance: Entrance = app) {
  const [ana, bob] = await registerPeople(entrance, 'Ana', 'Bob');
  const phone = phoneNumber();
  await verifyContacts(app, bob, phone);
  const channels = { push: false, email: false, sms: true };
  expectStatus(await bob.call('PATCH', '/v1/me/notifications', { channels }), 200);
  const direct = await makeDirect(ana, bob);
  return { ana, bob, phone, direct, id: `attention.${bob.id}.1` };
}

/** The same, stuck: the connection to Twilio broke before the text was taken, so nobody can know. Another try is taken. */
export async function stuckText(app: TestApp, entrance: Entrance = app) {
  const told = await textOnly(app, entrance);
  await rule(app, { provider: 'twilio', to: told.phone, count: 1, action: { cut: 'before' } });
  await send(told.ana, told.direct.id, 'hello');
  await needsAttention(app, told.bob, 'SMS');
  return told;
}

/** Waits until the job's page says that this step needs attention. */
export async function needsAttention(app: TestApp, { id }: Pick<Person, 'id'>, step: string): Promise<string> {
  const operators = operatorsOf(app);
  const said = await until(
    () => operators.details(id),
    (text) => text.includes(`${step} needs attention`),
  );
  await operators.disconnect();
  return said;
}
