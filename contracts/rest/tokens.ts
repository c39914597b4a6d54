import { z } from 'zod';
import { AccessToken, NewToken, TokenMade } from '../entities/index.ts';
import { TokenId } from '../ids.ts';
import { endpoint } from './endpoint.ts';

const tag = 'Tokens and bots';

export const tokenEndpoints = {
  createToken: endpoint({
    operationId: 'createToken',
    method: 'post',
    path: '/v1/me/tokens',
    tag,
    summary:
      'Makes a token by which a program does as me what its scopes say, and shows it this once; I am told at what I have verified',
    auth: 'user',
    stepUp: true,
    body: NewToken,
    success: { 201: TokenMade },
    errors: ['limit_reached'],
  }),
  listTokens: endpoint({
    operationId: 'listTokens',
    method: 'get',
    path: '/v1/me/tokens',
    tag,
    summary: 'My open tokens, the latest made first; never the tokens themselves',
    auth: 'user',
    success: { 200: z.strictObject({ items: z.array(AccessToken) }) },
    errors: [],
  }),
  // Without a proof, unlike a session: who has lost one to others is in a hurry.
  endToken: endpoint({
    operationId: 'endToken',
    method: 'delete',
    path: '/v1/me/tokens/{tokenId}',
    tag,
    summary: 'Ends a token; its sockets are closed at once',
    auth: 'user',
    params: z.strictObject({ tokenId: TokenId }),
    success: { 204: null },
    errors: ['not_found'],
  }),
};
