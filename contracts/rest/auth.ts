import { z } from 'zod';
import {
  DisplayName,
  EmailAddress,
  Locale,
  Me,
  PhoneNumber,
  Session,
  SessionInfo,
  TimeZone,
  line,
} from '../entities/index.ts';
import { SessionId } from '../ids.ts';
import { limits } from '../limits.ts';
import { endpoint } from './endpoint.ts';

/** Taken byte for byte as it was received: a password is never trimmed, folded or normalised. */
const NewPassword = z
  .string()
  .min(limits.passwordLengthMin)
  .max(limits.passwordLengthMax)
  .meta({ format: 'password', examples: ['correct horse battery'] });
const deviceName = line(100).optional();

export const Registration = z
  .strictObject({
    email: EmailAddress.optional(),
    phone: PhoneNumber.optional(),
    password: NewPassword,
    displayName: DisplayName,
    locale: Locale.optional(),
    timeZone: TimeZone.optional(),
    deviceName,
  })
  .refine((body) => body.email !== undefined || body.phone !== undefined, {
    message: 'give an email or a phone to sign in with',
    path: ['email'],
  })
  .meta({ id: 'Registration' });
export type Registration = z.infer<typeof Registration>;

export const Login = z
  .strictObject({
    identifier: line(254).meta({ description: 'E-mail address or phone number', examples: ['ana@example.test'] }),
    password: z.string().min(1).max(limits.passwordLengthMax).meta({ format: 'password' }),
    deviceName,
  })
  .meta({ id: 'Login' });
export type Login = z.infer<typeof Login>;

export const Refresh = z.strictObject({ refreshToken: z.string().min(20).max(200) }).meta({ id: 'Refresh' });

const SignedIn = z.strictObject({ user: Me, session: Session }).meta({ id: 'SignedIn' });

export const authEndpoints = {
  register: endpoint({
    operationId: 'register',
    method: 'post',
    path: '/v1/auth/register',
    tag: 'Sign-in',
    summary: 'Makes an account and signs in; a verification code is sent to the address or number',
    auth: 'none',
    body: Registration,
    success: { 201: SignedIn },
    errors: ['identifier_taken', 'overloaded'],
  }),
  login: endpoint({
    operationId: 'login',
    method: 'post',
    path: '/v1/auth/login',
    tag: 'Sign-in',
    summary: 'Signs in with an e-mail address or phone number and a password',
    auth: 'none',
    body: Login,
    success: { 200: SignedIn },
    errors: ['invalid_credentials', 'overloaded'],
  }),
  refresh: endpoint({
    operationId: 'refresh',
    method: 'post',
    path: '/v1/auth/refresh',
    tag: 'Sign-in',
    summary: 'Trades a refresh token for a new access token and the next refresh token',
    auth: 'none',
    body: Refresh,
    success: { 200: z.strictObject({ session: Session }) },
    errors: ['refresh_reused', 'session_revoked', 'invalid_credentials'],
  }),
  logout: endpoint({
    operationId: 'logout',
    method: 'post',
    path: '/v1/auth/logout',
    tag: 'Sign-in',
    summary: 'Ends the session of the token that is sent along',
    auth: 'user',
    success: { 204: null },
    errors: [],
  }),
  listSessions: endpoint({
    operationId: 'listSessions',
    method: 'get',
    path: '/v1/sessions',
    tag: 'Sign-in',
    summary: 'Open sessions, the latest used first',
    auth: 'user',
    success: { 200: z.strictObject({ items: z.array(SessionInfo) }) },
    errors: [],
  }),
  revokeSession: endpoint({
    operationId: 'revokeSession',
    method: 'delete',
    path: '/v1/sessions/{id}',
    tag: 'Sign-in',
    summary: 'Ends one session; its sockets are closed at once',
    auth: 'user',
    params: z.strictObject({ id: SessionId }),
    success: { 204: null },
    errors: ['not_found'],
  }),
  revokeOtherSessions: endpoint({
    operationId: 'revokeOtherSessions',
    method: 'delete',
    path: '/v1/sessions',
    tag: 'Sign-in',
    summary: 'Ends every session but the one that asks',
    auth: 'user',
    success: { 200: z.strictObject({ revoked: z.int().nonnegative() }) },
    errors: [],
  }),
};
