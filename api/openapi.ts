import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { type ErrorCode, Problem } from '../contracts/errors.ts';
import { pricesOf } from '../contracts/rate-limits.ts';
import { type Endpoint, endpoints } from '../contracts/rest/index.ts';
import { ruleOf } from '../domain/access/index.ts';
import { statusOf } from './errors.ts';

/** What every call may be refused with. */
const always: readonly ErrorCode[] = ['invalid_input', 'overloaded', 'unavailable', 'internal'];
const whenSignedIn: readonly ErrorCode[] = [
  'unauthenticated',
  'token_expired',
  'session_revoked',
  'insufficient_scope',
];
const withBody: readonly ErrorCode[] = ['malformed_json', 'payload_too_large', 'unsupported_media_type'];

/** The REST contract as an OpenAPI 3.1 document. */
export function openApiDocument({ publicUrl, version }: { publicUrl: string; version: string }) {
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Homing',
      version,
      description:
        'A messaging backend in which every message reaches a person. Sockets are described in /asyncapi.json.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: publicUrl }],
    tags: [...new Set(Object.values(endpoints).map(({ tag }) => tag))].map((name) => ({ name })),
    paths: paths(),
    components: {
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        personalToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'hom_pat_…',
          description: 'Of a person or a bot, for a program. It needs the scope that an operation names',
        },
      },
    },
  });
}

function paths(): ZodOpenApiPathsObject {
  const all: ZodOpenApiPathsObject = {};
  for (const endpoint of Object.values(endpoints) as Endpoint[]) {
    all[endpoint.path] = { ...all[endpoint.path], [endpoint.method]: operation(endpoint) };
  }
  return all;
}

function operation(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { operationId, method, summary, tag, params, query, body, conditional } = endpoint;
  return {
    operationId,
    summary,
    ...describeNeeds(endpoint),
    tags: [tag],
    security: security(operationId),
    ...(params || query || conditional
      ? {
          requestParams: {
            ...(params ? { path: params as z.ZodObject } : {}),
            ...(query ? { query: query as z.ZodObject } : {}),
            ...(conditional && method !== 'get' ? { header: IfMatch } : {}),
          },
        }
      : {}),
    ...(body ? { requestBody: requestBody(body) } : {}),
    responses: { ...successes(endpoint), ...refusals(endpoint) },
  };
}

/** One that may be empty may be left out. */
const requestBody = (schema: z.ZodType) => ({
  required: !schema.safeParse({}).success,
  content: { 'application/json': { schema } },
});

function security(operationId: string): Record<string, string[]>[] {
  const rule = ruleOf(operationId);
  if (rule.who === 'anybody') return [];
  return [{ accessToken: [] }, ...(rule.scope === 'session' ? [] : [{ personalToken: [rule.scope] }])];
}

function describeNeeds({ operationId, stepUp }: Endpoint): { description?: string } {
  const rule = ruleOf(operationId);
  const needs = [
    ...(rule.who === 'staff' ? [`Needs the role \`${rule.role}\` or a higher one; every call is audited.`] : []),
    ...(stepUp ? [`Needs a proof that is at most five minutes old${whenOf(stepUp)}: \`stepUp\`.`] : []),
  ];
  return needs.length > 0 ? { description: needs.join(' ') } : {};
}

const whenOf = (stepUp: NonNullable<Endpoint['stepUp']>) =>
  stepUp === true
    ? ''
    : ` where ${Object.entries(stepUp)
        .map(([field, word]) => `\`${field}\` is \`${word}\``)
        .join(' or ')}`;

const version = z.string().regex(/^"\d{1,15}"$/);
const IfMatch = z.object({ 'If-Match': version.optional().describe('The `ETag` of what was read, quotes included') });
const ETag = { ETag: version.describe('The version of what is answered') };
const item = String.raw`"[a-z-]+";[qr]=\d+;[wt]=\d+`;
const listOfItems = z.string().regex(new RegExp(`^${item}(, ${item})*$`));
/** draft-ietf-httpapi-ratelimit-headers. Missing where a deployment has switched the limit off. */
const RateLimit = {
  'RateLimit-Policy': listOfItems
    .optional()
    .describe('The limits that this call counts for: of each its name, a quota `q` and its window `w` in seconds'),
  RateLimit: listOfItems
    .optional()
    .describe('Of each how much remains (`r`), and in how many seconds all of it is there again (`t`)'),
};
const RetryAfter = { 'Retry-After': z.string().regex(/^\d+$/).optional().describe('Seconds to wait for') };

const isLimited = (endpoint: Endpoint) => pricesOf(endpoint).length > 0;

function successes(endpoint: Endpoint): ZodOpenApiResponsesObject {
  const { success, summary, conditional } = endpoint;
  const headers = z.object({ ...(conditional ? ETag : {}), ...(isLimited(endpoint) ? RateLimit : {}) });
  return Object.fromEntries(
    Object.entries(success).map(([status, schema]) => [
      status,
      {
        description: summary,
        ...(conditional || isLimited(endpoint) ? { headers } : {}),
        ...(schema ? { content: { 'application/json': { schema } } } : {}),
      },
    ]),
  ) as ZodOpenApiResponsesObject;
}

/** One response a status, naming the codes that come with it. */
function refusals(endpoint: Endpoint): ZodOpenApiResponsesObject {
  const codes = new Set([
    ...endpoint.errors,
    ...always,
    // A commit whose fate nobody knows: any change may meet it.
    ...(endpoint.method === 'get' ? [] : (['outcome_unknown'] as const)),
    ...(endpoint.auth === 'user' ? whenSignedIn : []),
    ...(ruleOf(endpoint.operationId).who === 'staff' ? (['forbidden'] as const) : []),
    ...(endpoint.stepUp ? (['step_up_required'] as const) : []),
    ...(endpoint.body ? withBody : []),
    ...(isLimited(endpoint) ? (['rate_limited'] as const) : []),
  ]);
  const byStatus = Map.groupBy<number, ErrorCode>(codes, (code) => statusOf[code]);
  // Of any request that is longer than Node reads of one before its body: a query counts.
  byStatus.set(431, ['payload_too_large']);
  return Object.fromEntries(
    [...byStatus].map(([status, list]) => [
      String(status),
      {
        description: list.join(', '),
        ...(status === 429 && isLimited(endpoint) ? { headers: z.object({ ...RateLimit, ...RetryAfter }) } : {}),
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
  ) as ZodOpenApiResponsesObject;
}
