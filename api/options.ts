import type { IncomingMessage } from 'node:http';
import type { Readiness } from '../contracts/rest/about.ts';
import type { Authenticate } from '../domain/accounts/index.ts';
import type { Taken } from '../domain/attention/index.ts';
import type { IdentityProvider, Log, RateLimits, ReportDoor } from '../domain/deps.ts';
import type { ObserveRequest } from './middleware/observe.ts';
import type { Operations } from './operations.ts';

/** What the API needs beside the domain's dependencies. */
export interface ApiOptions {
  /** What those may ask who are signed in. */
  operations: Operations;
  /** Who comes with a token. */
  authenticate: Authenticate;
  log: Log;
  observeRequest: ObserveRequest;
  /** How providers report, by the path that they post to. */
  reportDoors: Readonly<Record<string, ReportDoor>>;
  countReports: (source: ReportDoor['source'], result: Taken | 'limited') => void;
  readiness: () => Promise<Readiness>;
  jwks: () => { keys: Record<string, string>[] };
  allowedOrigins: readonly string[];
  trustedProxies: number;
  limits: RateLimits;
  /** Where a request comes from, as far as our own proxies say. */
  addressOf: (request: IncomingMessage) => string;
  publicUrl: string;
  /** Who else people may sign in by, with what proves us to them. */
  identityProviders: readonly IdentityProvider[];
  /** By which these are asked, and nobody else. */
  fetch: typeof fetch;
  checkAnswers: boolean;
}
