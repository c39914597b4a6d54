import { type TOTP, URI } from 'otpauth';
import type { Me, PasskeyRequest, SecondFactorNeeded, Session } from '../../contracts/entities/index.ts';
import { type Person, password } from '../factories/person.ts';
import type { Clock } from './clock.ts';
import type { Entrance } from './doors.ts';
import { type Answer, call, expectStatus } from './rest.ts';

export interface SignedIn {
  user: Me;
  session: Session;
}

/** Somebody's authenticator app: what it shows at that moment of the clock. */
export interface App {
  uri: string;
  secret: string;
  recoveryCodes: string[];
  /** `ms` from now. */
  code: (ms?: number) => string;
}

const codesOf = (uri: string, clock: Clock) => {
  const totp = URI.parse(uri) as TOTP;
  return (ms = 0) => totp.generate({ timestamp: clock.now() + ms });
};

export async function beginApp(person: Person, clock: Clock): Promise<Omit<App, 'recoveryCodes'>> {
  const { uri, secret } = expectStatus(await person.call<{ uri: string; secret: string }>('POST', '/v1/me/totp'), 200);
  return { uri, secret, code: codesOf(uri, clock) };
}

/** Switches an app on. Half a minute passes: the code that did so is spent. */
export async function switchOnApp(person: Person, clock: Clock): Promise<App> {
  const begun = await beginApp(person, clock);
  const confirm = await person.call<{ recoveryCodes: string[] }>('POST', '/v1/me/totp/confirm', { code: begun.code() });
  clock.pass(30_000);
  return { ...begun, recoveryCodes: expectStatus(confirm, 200).recoveryCodes };
}

/** The password alone. */
export const login = (app: Entrance, { email }: Pick<Person, 'email'>): Promise<Answer<SecondFactorNeeded>> =>
  call(app.url, 'POST', '/v1/auth/login', { body: { identifier: email, password } });

/** The challenge that a password is answered with. */
export const challengeOf = async (app: Entrance, person: Pick<Person, 'email'>): Promise<SecondFactorNeeded> =>
  expectStatus(await login(app, person), 202);

export const answer = (app: Entrance, body: object): Promise<Answer<SignedIn>> =>
  call(app.url, 'POST', '/v1/auth/second-factor', { body });

export const beginPasskeySignIn = async (app: Entrance): Promise<PasskeyRequest> =>
  expectStatus(await call<PasskeyRequest>(app.url, 'POST', '/v1/auth/passkey/begin'), 200);

export const signInWithPasskey = (app: Entrance, passkey: object): Promise<Answer<SignedIn>> =>
  call(app.url, 'POST', '/v1/auth/passkey', { body: { passkey } });
