import { randomBytes, randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import type { Conversation, Me, Message, Session } from '../../contracts/entities/index.ts';
import type { TestApp } from '../setup/app.ts';
import { type Entrance, callBySocket } from '../support/doors.ts';
import { type Ask, call, expectStatus } from '../support/rest.ts';

export const password = 'correct horse battery staple';

/** Somebody who is signed in. Every test makes its own people. */
export interface Person {
  id: string;
  name: string;
  email: string;
  me: Me;
  session: Session;
  token: string;
  call: Ask;
}

export async function registerPerson(
  app: Entrance,
  name = 'Ana',
  extra: Record<string, unknown> = {},
): Promise<Person> {
  const email = `${name.toLowerCase().replaceAll(/\W/g, '')}.${randomBytes(5).toString('hex')}@example.test`;
  const body = { email, password, displayName: name, ...extra };
  const { user, session } = expectStatus(
    await call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/register', { body }),
    201,
  );
  const token = session.accessToken;
  return {
    id: user.id,
    name,
    email,
    me: user,
    session,
    token,
    call:
      app.door === 'the socket'
        ? callBySocket(app, token)
        : (method, path, input, headers = {}) => call(app.url, method, path, { token, body: input, headers }),
  };
}

/** Several people with these names, registered one after another. */
export async function registerPeople<const Names extends readonly string[]>(
  app: Entrance,
  ...names: Names
): Promise<{ [Index in keyof Names]: Person }> {
  const people: Person[] = [];
  for (const name of names) people.push(await registerPerson(app, name));
  return people as { [Index in keyof Names]: Person };
}

export async function makeGroup(owner: Person, members: readonly Person[], title = 'Ops'): Promise<Conversation> {
  const body = { clientId: randomUUIDv7(), kind: 'group', title, memberIds: members.map(({ id }) => id) };
  return expectStatus(await owner.call<Conversation>('POST', '/v1/conversations', body), 201);
}

export async function makeChannel(owner: Person, extra: Record<string, unknown> = {}): Promise<Conversation> {
  const body = { clientId: randomUUIDv7(), kind: 'channel', title: `News ${randomBytes(4).toString('hex')}`, ...extra };
  return expectStatus(await owner.call<Conversation>('POST', '/v1/conversations', body), 201);
}

export async function makeDirect(one: Person, other: Person): Promise<Conversation> {
  const body = { clientId: randomUUIDv7(), kind: 'direct', memberIds: [other.id] };
  return expectStatus(await one.call<Conversation>('POST', '/v1/conversations', body), 201);
}

export async function send(
  sender: Person,
  conversationId: string,
  text: string,
  extra: Record<string, unknown> = {},
): Promise<Message> {
  const body = { clientId: randomUUIDv7(), text, ...extra };
  const answer = await sender.call<{ message: Message }>('POST', `/v1/conversations/${conversationId}/messages`, body);
  return expectStatus(answer, 201).message;
}

export const read = (reader: Person, conversationId: string, readSeq: number) =>
  reader.call('PUT', `/v1/conversations/${conversationId}/receipts`, { readSeq });

export const deleteMessage = (person: Person, conversationId: string, messageId: string) =>
  person.call('DELETE', `/v1/conversations/${conversationId}/messages/${messageId}`);

/** Registers a phone that can be pushed to; answers with its token. */
export async function registerDevice(person: Person, token = `ok-${randomBytes(8).toString('hex')}`): Promise<string> {
  const body = { platform: 'android', pushToken: token, pushPermission: 'granted' };
  expectStatus(await person.call('PUT', `/v1/me/devices/${randomUUIDv7()}`, body), 200);
  return token;
}

/**
 * Makes the person's address and number theirs without the mail and the text in between, for tests that are about
 * something else. The way by code has tests of its own.
 */
export async function verifyContacts(app: Pick<TestApp, 'database'>, person: Person, phone?: string): Promise<void> {
  const client = new pg.Client(app.database.url);
  await client.connect();
  await client.query(
    'update users set email_verified_at = now(), phone = $2, phone_verified_at = case when $2::text is null then null else now() end where id = $1',
    [person.id, phone ?? null],
  );
  await client.end();
}

/** A phone number that nobody else in the run has, and that ends with none of the codes that the sandbox fails by. */
export const phoneNumber = (): string => `+4915${fourDigits()}9${fourDigits()}`;

const fourDigits = () => String(Math.floor(Math.random() * 10_000)).padStart(4, '0');

/** The same person on another device, with a session of its own. */
export async function signInAgain(app: Entrance, person: Person): Promise<Person> {
  const body = { identifier: person.email, password };
  const { user, session } = expectStatus(
    await call<{ user: Me; session: Session }>(app.url, 'POST', '/v1/auth/login', { body }),
    200,
  );
  const token = session.accessToken;
  return {
    ...person,
    me: user,
    session,
    token,
    call: (method, path, input, headers = {}) => call(app.url, method, path, { token, body: input, headers }),
  };
}
