import { z } from 'zod';
import {
  DisplayName,
  EmailAddress,
  Locale,
  Me,
  PhoneNumber,
  SecondFactorNeeded,
  Session,
  SessionInfo,
  TimeZone,
  line,
} from '../entities/index.ts';
import { SessionId } from '../ids.ts';
import { limits } from '../limits.ts';
import { endpoint } from './endpoint.ts';

/**
 * Taken byte for byte as it was received: a password is never trimmed, folded or normalised. So what has no bytes is none:
 * hashed, each lone surrogate would be the same sign.
 */
const isWellFormed = (value: string): boolean => value.isWellFormed();
const wellFormed = { message: 'must be well-formed Unicode' };

/** One that was set before, as its owner gives it. */
export const GivenPassword = z
  .string()
  .min(1)
  .max(limits.passwordLengthMax)
  .refine(isWellFormed, wellFormed)
  .meta({ format: 'password' });

const passwordOf = (lengthMin: number) =>
  z
    .string()
    .min(lengthMin, { abort: true })
    .max(limits.passwordLengthMax)
    .refine(isWellFormed, wellFormed)
    // Counted as people count: a sign outside of the basic plane is one, and two for JavaScript.
    .refine((value) => Array.from(value).length >= lengthMin, {
      message: `must have at least ${lengthMin} characters`,
    })
    .meta({ format: 'password', examples: ['correct horse battery'] });
const NewPassword = passwordOf(limits.passwordLengthMin);
/** In place of another: of who has a second factor it may be shorter, which only the domain knows. */
const NextPassword = passwordOf(limits.passwordLengthMinBesideFactor);
export const deviceName = line(100).optional();

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
    password: GivenPassword,
    deviceName,
  })
  .meta({ id: 'Login' });
export type Login = z.infer<typeof Login>;

export const PasswordChange = z
  .strictObject({
    oldPassword: GivenPassword,
    newPassword: NextPassword,
    endOtherSessions: z.boolean().optional().meta({ description: 'Ends every session but the one that asks' }),
    endTokens: z.boolean().optional().meta({ description: 'Ends every token of mine and of my bots' }),
  })
  .meta({ id: 'PasswordChange' });
export type PasswordChange = z.infer<typeof PasswordChange>;

export const PasswordForgotten = z
  .strictObject({
    identifier: z
      .union([EmailAddress, PhoneNumber], { error: 'must be an e-mail address or a phone number (E.164)' })
      .meta({ examples: ['ana@example.test'] }),
  })
  .meta({ id: 'PasswordForgotten' });

export const PasswordReset = z
  .strictObject({
    token: z.string().min(20).max(200).meta({ description: 'What stands behind the # of the link that was sent' }),
    password: NextPassword,
  })
  .meta({ id: 'PasswordReset' });
export type PasswordReset = z.infer<typeof PasswordReset>;

export const Refresh = z.strictObject({ refreshToken: z.string().min(20).max(200) }).meta({ id: 'Refresh' });

export const SignedIn = z.strictObject({ user: Me, session: Session }).meta({ id: 'SignedIn' });
export type SignedIn = z.infer<typeof SignedIn>;

export const authEndpoints = {
  register: endpoint({
    operationId: 'register',
    method: 'post',
    path: '/v1/auth/register',
    tag: 'Sign-in',
    summary:
      'Makes an account and signs in; a verification code is sent to the address or number. The answer does not depend on whether another account has it',
    auth: 'none',
    body: Registration,
    success: { 201: SignedIn },
    errors: ['overloaded'],
  }),
  login: endpoint({
    operationId: 'login',
    method: 'post',
    path: '/v1/auth/login',
    tag: 'Sign-in',
    summary:
      'Signs in with an e-mail address or phone number and a password. Who has a second factor is answered 202 and a challenge, for `secondFactor`',
    auth: 'none',
    body: Login,
    success: { 200: SignedIn, 202: SecondFactorNeeded },
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
  forgotPassword: endpoint({
    operationId: 'forgotPassword',
    method: 'post',
    path: '/v1/auth/password/forgot',
    tag: 'Sign-in',
    summary: 'Sends a link to a new password to this address or number, if it is anybody’s: the answer does not say',
    auth: 'none',
    body: PasswordForgotten,
    success: { 202: z.strictObject({ expiresInSeconds: z.int().positive() }) },
    errors: ['rate_limited'],
  }),
  resetPassword: endpoint({
    operationId: 'resetPassword',
    method: 'post',
    path: '/v1/auth/password/reset',
    tag: 'Sign-in',
    summary:
      'Sets a new password by what was sent; every session and token ends, the address or number is verified, and a second factor stays',
    auth: 'none',
    body: PasswordReset,
    success: { 204: null },
    errors: ['code_expired', 'identifier_taken', 'conflict', 'overloaded'],
  }),
  changePassword: endpoint({
    operationId: 'changePassword',
    method: 'post',
    path: '/v1/me/password',
    tag: 'Sign-in',
    summary:
      'Sets a new password in place of the one that is given along; I am told at what I have verified. Who has a second factor needs a recent proof by it: `stepUp`',
    auth: 'user',
    body: PasswordChange,
    success: { 200: z.strictObject({ revoked: z.int().nonnegative() }) },
    errors: ['step_up_required', 'invalid_credentials', 'rate_limited', 'conflict', 'overloaded'],
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
    stepUp: true,
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
    stepUp: true,
    success: { 200: z.strictObject({ revoked: z.int().nonnegative() }) },
    errors: [],
  }),
};
