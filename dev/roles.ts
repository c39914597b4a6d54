import { join } from 'node:path';
import { plainEnv, root, type Running, startProcess } from './services/index.ts';
import {
  bucket,
  type DatabaseUrls,
  elasticsearchUrl,
  namespace,
  s3Access,
  type Stack,
  temporalAddress,
} from './stack.ts';
import { sandboxClient } from '../sandbox/identity/client.ts';
import type { Part } from './supervisor.ts';

/** Steps of an unread message fall due within a minute, so that somebody who tries it out sees them. */
const developmentLadder =
  'push=1.5s push-present=5s push-focused=5s realert-gap=5s email=20s email-without-push=20s email-settle=5s sms-settle=5s sms=40s sms-night=off retry-first=2s';

/** The processes of the app: name → roles and what tells that it is ready. */
const processes = {
  api: { roles: ['api', 'realtime'], metrics: 'metricsApi' },
  relay: { roles: ['relay'], metrics: 'metricsRelay' },
  worker: { roles: ['worker'], metrics: 'metricsWorker' },
} as const;
export type RoleName = keyof typeof processes;
export const roleNames = Object.keys(processes) as RoleName[];

/** What the roles need to know of the services. */
export interface Addresses {
  database: DatabaseUrls;
  redisUrl: string;
  withElasticsearch: boolean;
}

export function apiUrl({ ports }: Stack): string {
  return `http://127.0.0.1:${ports.api}`;
}

export function sandboxUrl({ ports }: Stack): string {
  return `http://127.0.0.1:${ports.sandbox}`;
}

export function metricsUrl({ ports }: Stack, role: RoleName): string {
  return `http://127.0.0.1:${ports[processes[role].metrics]}/metrics`;
}

/** The ladder that the roles run with: the person's own, or ours. */
export function ladderOf({ context }: Stack): string {
  return context.env.HOMING_LADDER ?? developmentLadder;
}

/** A process of the app, as the supervisor keeps it up. */
export function rolePart(stack: Stack, name: RoleName, addresses: Addresses): Part {
  const readyUrl = name === 'api' ? `${apiUrl(stack)}/readyz` : metricsUrl(stack, name).replace('/metrics', '/livez');
  const args = ['main.ts', ...processes[name].roles];
  const env = roleEnv(stack, name, addresses);
  return { name, kind: 'role', start: (signal) => startNode(stack, name, args, env, readyUrl, signal) };
}

/** The stand-in for the providers. It gets the same keys as the app, to tell a caller who has them, and to sign its reports. */
export function sandboxPart(stack: Stack): Part {
  const { context, ports, secrets } = stack;
  const app = apiUrl(stack);
  const env = {
    ...{ ...plainEnv(context.env), NODE_ENV: 'development', ...secrets.app, PORT: String(ports.sandbox) },
    SANDBOX_SENDGRID_EVENTS_URL: `${app}/v1/providers/sendgrid/events`,
    SANDBOX_TWILIO_STATUS_URL: `${app}/v1/providers/twilio/events`,
    SANDBOX_TWILIO_INBOUND_URL: `${app}/v1/providers/twilio/inbound`,
    SANDBOX_APP_URL: app,
  };
  const start = (signal: AbortSignal) =>
    startNode(stack, 'sandbox', ['sandbox/main.ts'], env, `${sandboxUrl(stack)}/healthz`, signal);
  return { name: 'sandbox', kind: 'service', start };
}

function startNode(
  { state }: Stack,
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  readyUrl: string,
  signal: AbortSignal,
): Promise<Running> {
  return startProcess({
    ...{ name, command: process.execPath, args, cwd: root, env, signal },
    logFile: join(state, 'logs', `${name}.log`),
    answers: () => answersOk(readyUrl),
    answersWithinMs: 60_000,
  });
}

async function answersOk(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
}

/** What a person has set for the app (HOMING_LOG_LEVEL, HOMING_LADDER …) wins over our defaults; addresses are ours. */
function roleEnv(stack: Stack, name: RoleName, addresses: Addresses): NodeJS.ProcessEnv {
  const { context, ports, secrets } = stack;
  const { database, redisUrl } = addresses;
  const s3 = s3Access(stack);
  const sandbox = sandboxUrl(stack);
  return {
    ...secrets.app,
    ...context.env,
    HOMING_LADDER: ladderOf(stack),
    HOMING_OAUTH_PROVIDERS: context.env.HOMING_OAUTH_PROVIDERS ?? JSON.stringify(sandboxProviders(sandbox)),
    // There is no app here to come back to; this page shows what one would be told.
    HOMING_OAUTH_RETURNS: context.env.HOMING_OAUTH_RETURNS ?? `${sandbox}/identity/back`,
    // The sandbox's providers are here, and so may be one that somebody tries out.
    HOMING_EGRESS_ALLOW: context.env.HOMING_EGRESS_ALLOW ?? '127.0.0.0/8, ::1/128',
    // A key from the person's shell must not reach the sandbox, which has its own.
    ...providerKeys(secrets.app),
    GOOGLE_APPLICATION_CREDENTIALS: undefined,
    NODE_ENV: 'development',
    PORT: String(ports.api),
    HOMING_METRICS_PORT: String(ports[processes[name].metrics]),
    HOMING_PUBLIC_URL: apiUrl(stack),
    DATABASE_URL: database.appUrl,
    DATABASE_OWNER_URL: undefined,
    REDIS_URL: redisUrl,
    TEMPORAL_ADDRESS: temporalAddress(stack),
    TEMPORAL_NAMESPACE: context.env.TEMPORAL_NAMESPACE ?? namespace,
    ...temporalUi(stack, name),
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: bucket,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    ELASTICSEARCH_URL: addresses.withElasticsearch ? elasticsearchUrl(stack) : undefined,
    SENDGRID_BASE_URL: sandbox,
    TWILIO_BASE_URL: sandbox,
    FCM_BASE_URL: sandbox,
  };
}

/** Who people sign in by here, until somebody has providers of their own. */
function sandboxProviders(sandbox: string): object[] {
  const [oidc, gitHub] = [`${sandbox}/identity/oidc`, `${sandbox}/identity/github`];
  const urls = {
    ...{ authorize: `${gitHub}/login/oauth/authorize`, token: `${gitHub}/login/oauth/access_token` },
    ...{ profile: `${gitHub}/user`, emails: `${gitHub}/user/emails` },
  };
  return [
    { ...sandboxClient, id: 'sandbox', name: 'Sandbox', type: 'oidc', issuer: oidc },
    { ...sandboxClient, id: 'sandbox-github', name: 'Sandbox GitHub', type: 'github', urls },
  ];
}

function providerKeys(app: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(app).filter(([name]) => /^(SENDGRID|TWILIO|FCM)_/.test(name)));
}

// The codec endpoint, which shows the UI what is encrypted, is the worker's; with somebody else's Temporal the UI is not
// ours to point at it.
function temporalUi({ given, ports }: Stack, name: RoleName): NodeJS.ProcessEnv {
  if (given.temporalAddress) return {};
  const codec = name === 'worker' ? { HOMING_CODEC_PORT: String(ports.codec) } : {};
  return { HOMING_TEMPORAL_UI_URL: `http://127.0.0.1:${ports.temporalUi}`, ...codec };
}
