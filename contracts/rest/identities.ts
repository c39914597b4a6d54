import { z } from 'zod';
import {
  CodeChallenge,
  CodeVerifier,
  Identity,
  Instant,
  Provider,
  ProviderName,
  SecondFactorNeeded,
} from '../entities/index.ts';
import { SignedIn, deviceName } from './auth.ts';
import { endpoint } from './endpoint.ts';

const tag = 'Sign-in elsewhere';
const params = z.strictObject({ provider: ProviderName });
const ReturnTo = z
  .string()
  .max(2_000)
  .meta({ description: 'One of the addresses of `HOMING_OAUTH_RETURNS`, to the letter; the first one when left out' });
const Code = z.string().min(20).max(200).meta({ description: 'What stands behind the # of the return address' });
const begin = { returnTo: ReturnTo.optional(), challenge: CodeChallenge.optional() };
const shown = { code: Code, verifier: CodeVerifier.optional() };

export const CodeExchange = z.strictObject({ ...shown, deviceName }).meta({ id: 'CodeExchange' });
export type CodeExchange = z.infer<typeof CodeExchange>;

export const identityEndpoints = {
  listProviders: endpoint({
    operationId: 'listProviders',
    method: 'get',
    path: '/v1/auth/oauth',
    tag,
    summary: 'Who else people may sign in by here',
    auth: 'none',
    success: { 200: z.strictObject({ items: z.array(Provider) }) },
    errors: [],
  }),
  beginSignInWith: endpoint({
    operationId: 'beginSignInWith',
    method: 'get',
    path: '/v1/auth/oauth/{provider}',
    tag,
    summary:
      'For a browser: leads to the provider, and from there to the return address with `#code=…`, for `exchangeCode`, or with `#error=…`, a code of this interface',
    auth: 'none',
    params,
    query: z.strictObject({
      ...begin,
      ticket: Code.optional().meta({ description: 'Of `beginIdentity`, which put it into its url' }),
    }),
    success: { 302: null },
    errors: ['not_found'],
  }),
  exchangeCode: endpoint({
    operationId: 'exchangeCode',
    method: 'post',
    path: '/v1/auth/oauth/exchange',
    tag,
    summary:
      'Trades the code of a sign-in elsewhere, once and within a minute, for a session. Who has a second factor is answered 202 and a challenge, for `secondFactor`',
    auth: 'none',
    body: CodeExchange,
    success: { 200: SignedIn, 202: SecondFactorNeeded },
    errors: ['sign_in_expired', 'invalid_credentials'],
  }),
  listIdentities: endpoint({
    operationId: 'listIdentities',
    method: 'get',
    path: '/v1/me/identities',
    tag,
    summary: 'By whom I sign in, and whether I have a password besides',
    auth: 'user',
    success: { 200: z.strictObject({ items: z.array(Identity), hasPassword: z.boolean() }) },
    errors: [],
  }),
  beginIdentity: endpoint({
    operationId: 'beginIdentity',
    method: 'post',
    path: '/v1/me/identities/{provider}',
    tag,
    summary: 'Where a browser goes so that I may sign in by this provider, too; its code is for `addIdentity`',
    auth: 'user',
    stepUp: true,
    params,
    body: z.strictObject(begin).meta({ id: 'IdentityBegin' }),
    success: { 200: z.strictObject({ url: z.string(), expiresAt: Instant }) },
    errors: ['identity_exists'],
  }),
  addIdentity: endpoint({
    operationId: 'addIdentity',
    method: 'post',
    path: '/v1/me/identities',
    tag,
    summary: 'Links what the provider proved, by the code of the return address: from now on it signs me in',
    auth: 'user',
    body: z.strictObject(shown).meta({ id: 'IdentityCode' }),
    success: { 201: Identity },
    errors: ['sign_in_expired', 'identity_taken', 'identity_exists'],
  }),
  removeIdentity: endpoint({
    operationId: 'removeIdentity',
    method: 'delete',
    path: '/v1/me/identities/{provider}',
    tag,
    summary: 'Takes a way in away; not the last one',
    auth: 'user',
    stepUp: true,
    params,
    success: { 204: null },
    errors: ['not_found', 'last_way_in'],
  }),
};
