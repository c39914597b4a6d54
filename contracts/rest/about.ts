import { z } from 'zod';
import { endpoint } from './endpoint.ts';

const Dependency = z.strictObject({ name: z.string(), state: z.enum(['up', 'down']), needed: z.boolean() });
export const Readiness = z
  .strictObject({ ready: z.boolean(), dependencies: z.array(Dependency) })
  .meta({ id: 'Readiness' });
export type Readiness = z.infer<typeof Readiness>;

export const aboutEndpoints = {
  livez: endpoint({
    operationId: 'livez',
    method: 'get',
    path: '/livez',
    tag: 'About the server',
    summary: 'The process runs',
    auth: 'none',
    success: { 200: z.strictObject({ live: z.literal(true) }) },
    errors: [],
  }),
  readyz: endpoint({
    operationId: 'readyz',
    method: 'get',
    path: '/readyz',
    tag: 'About the server',
    summary: 'It can serve; names each dependency and its state',
    auth: 'none',
    success: { 200: Readiness, 503: Readiness },
    errors: [],
  }),
  getLimits: endpoint({
    operationId: 'getLimits',
    method: 'get',
    path: '/v1/limits',
    tag: 'About the server',
    summary: 'Every limit that a client can meet, with its unit in its name',
    auth: 'none',
    success: { 200: z.record(z.string(), z.int()) },
    errors: [],
  }),
  getAddress: endpoint({
    operationId: 'getAddress',
    method: 'get',
    path: '/v1/address',
    tag: 'About the server',
    summary: 'The address that a call comes from, as limits know it: with proxies in front, what they have told',
    auth: 'none',
    success: { 200: z.strictObject({ address: z.string() }) },
    errors: [],
  }),
  jwks: endpoint({
    operationId: 'jwks',
    method: 'get',
    path: '/.well-known/jwks.json',
    tag: 'About the server',
    summary: 'The public keys that access tokens are signed with (RFC 7517)',
    auth: 'none',
    success: { 200: z.strictObject({ keys: z.array(z.record(z.string(), z.string())) }) },
    errors: [],
  }),
};
