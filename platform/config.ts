import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { faultsInTheClear, serviceNames } from './in-the-clear.ts';
import { networksSetting } from './networks.ts';
import { address, identityProvidersSetting, returnAddress } from './identity-providers.ts';
import { sendGridKey } from './webhooks/sendgrid.ts';
import {
  type Duration,
  capsSetting,
  keyring,
  ladderSetting,
  listOf,
  pemFile,
  peppersSetting,
  port,
  rateLimitsSetting,
  ratesSetting,
  watchSetting,
} from './config-types.ts';

/** One setting: what it is for, and where its value may be printed. */
interface Setting<Schema extends z.ZodType = z.ZodType> {
  schema: Schema;
  help: string;
  /** Never printed, no default outside development. */
  secret?: boolean;
  /** Used where the variable is not set. In production a setting without one must be given. */
  fallback?: string;
  /** Only in development and tests. */
  developmentFallback?: string;
  optional?: boolean;
}
const setting = <Schema extends z.ZodType>(value: Setting<Schema>) => value;

const url = (protocols: string[]) =>
  z.url({
    protocol: new RegExp(`^(${protocols.join('|')})$`),
    error: `must be a URL that begins with ${protocols.map((name) => `${name}://`).join(' or ')}`,
  });

/** Nothing is tried again for each slash of a long row of them. */
const withoutSlashAtEnd = (address: string) => address.replace(/(?<!\/)\/+$/, '');

/** Paths are put behind it, or it is compared with an origin. */
const webUrl = url(['http', 'https']).overwrite(withoutSlashAtEnd);

/**
 * Every setting there is. Names are the ecosystem's own where it has one; what is ours begins with HOMING_. The example
 * file is generated from this table.
 */
export const settings = {
  NODE_ENV: setting({
    schema: z.enum(['development', 'test', 'production']),
    fallback: 'production',
    help: 'development, test or production',
  }),
  PORT: setting({ schema: port, fallback: '4000', help: 'Port of REST and sockets' }),
  HOMING_HOST: setting({
    schema: z.string().min(1),
    fallback: '0.0.0.0',
    developmentFallback: '127.0.0.1',
    help: 'Address to listen on',
  }),
  HOMING_METRICS_PORT: setting({
    schema: port,
    fallback: '9464',
    help: 'Port of /metrics and, for roles without an API, of the health pages; never public',
  }),
  HOMING_PUBLIC_URL: setting({
    schema: webUrl,
    developmentFallback: 'http://127.0.0.1:4000',
    help: 'Address that people reach this deployment at; links in notifications begin with it',
  }),
  HOMING_ALLOWED_ORIGINS: setting({
    schema: listOf(webUrl),
    fallback: '',
    help: 'Origins of web clients, comma-separated; the public address is always one',
  }),
  HOMING_OAUTH_PROVIDERS: setting({
    schema: identityProvidersSetting,
    secret: true,
    optional: true,
    help: 'Who else people may sign in by, as JSON: [{"id":"google","type":"oidc","issuer":"https://accounts.google.com","clientId":"…","clientSecret":"…"}]; docs/operators.md has each. Left out, by nobody',
  }),
  HOMING_OAUTH_RETURNS: setting({
    schema: listOf(returnAddress),
    fallback: '',
    help: 'Addresses that apps may have a browser sent back to after such a sign-in, comma-separated and to the letter; the first where an app names none. Left out, /signed-in of the public address',
  }),
  HOMING_EGRESS_ALLOW: setting({
    schema: networksSetting,
    fallback: '',
    help: 'Networks, and hosts with a port, that requests to addresses of others may go to although they are not the open internet, such as "10.8.0.0/16, keycloak:8080"; docs/operators.md says which requests',
  }),
  HOMING_TRUSTED_PROXIES: setting({
    schema: z.coerce.number().int().min(0).max(10),
    fallback: '0',
    help: 'Number of proxies in front of us whose X-Forwarded-For is believed',
  }),
  HOMING_LOG_LEVEL: setting({
    schema: z.enum(['error', 'warn', 'info', 'debug']),
    fallback: 'info',
    help: 'error, warn, info or debug',
  }),
  DATABASE_URL: setting({
    schema: url(['postgres', 'postgresql']),
    secret: true,
    help: 'PostgreSQL, as the role homing_app; in production with ?sslmode=verify-full, and &sslrootcert=/path/of/ca.pem where the CA is your own',
  }),
  DATABASE_OWNER_URL: setting({
    schema: url(['postgres', 'postgresql']),
    secret: true,
    optional: true,
    help: 'PostgreSQL, as the role that owns the schema; for migrations only',
  }),
  REDIS_URL: setting({
    schema: url(['redis', 'rediss']),
    secret: true,
    help: 'Redis, for live events, presence and rate limits; in production by rediss://',
  }),
  HOMING_REDIS_CA: setting({
    schema: pemFile,
    optional: true,
    help: 'Path of the CA that signs the certificate of Redis (PEM); then no other is believed',
  }),
  HOMING_REDIS_PREFIX: setting({
    schema: z.string().regex(/^[\w-]{1,40}$/),
    fallback: 'homing',
    help: 'What our keys and channels in Redis begin with',
  }),
  TEMPORAL_ADDRESS: setting({
    schema: z.string().regex(/^[^\s/]+:\d+$/, { message: 'must be host:port' }),
    help: 'Temporal frontend',
  }),
  TEMPORAL_TLS: setting({
    schema: z.enum(['true', 'false']),
    fallback: 'false',
    help: 'true: Temporal is spoken to by TLS. A CA or a client certificate says the same',
  }),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: setting({
    schema: pemFile,
    optional: true,
    help: 'Path of the CA that signs the certificate of Temporal (PEM); then no other is believed',
  }),
  TEMPORAL_TLS_SERVER_NAME: setting({
    schema: z.string().min(1),
    optional: true,
    help: 'Name that the certificate of Temporal must hold, where it is another than that of the address',
  }),
  TEMPORAL_TLS_CLIENT_CERT_PATH: setting({
    schema: pemFile,
    optional: true,
    help: 'Path of the certificate that we show to Temporal (PEM); its key is needed with it',
  }),
  TEMPORAL_TLS_CLIENT_KEY_PATH: setting({
    schema: pemFile,
    secret: true,
    optional: true,
    help: 'Path of that certificate’s private key (PEM)',
  }),
  TEMPORAL_NAMESPACE: setting({ schema: z.string().min(1).max(200), fallback: 'homing', help: 'Temporal namespace' }),
  HOMING_TASK_QUEUE_PREFIX: setting({
    schema: z.string().regex(/^[\w-]{0,60}$/),
    fallback: '',
    help: 'What our task queues begin with, for several deployments in one namespace',
  }),
  HOMING_BUILD_ID: setting({
    schema: z.string().regex(/^[\w.-]{1,100}$/, { message: 'must be up to 100 letters, digits, dots and dashes' }),
    optional: true,
    help: 'What this build is called to Temporal, such as the commit: an episode stays with the build that began it, and new ones go to the current one (docs/operators.md). Left out, any worker takes any episode',
  }),
  HOMING_TEMPORAL_UI_URL: setting({
    schema: webUrl,
    optional: true,
    help: 'Temporal UI: where support is sent to, and the one origin that the codec endpoint answers',
  }),
  HOMING_CODEC_PORT: setting({
    schema: port,
    optional: true,
    help: 'Port of the codec endpoint that lets the Temporal UI show payloads',
  }),
  HOMING_CODEC_TOKEN: setting({
    schema: z.string().min(32),
    secret: true,
    optional: true,
    help: 'Bearer token that the codec endpoint asks for; needed in production',
  }),
  S3_ENDPOINT: setting({ schema: webUrl, optional: true, help: 'S3 server; AWS itself when left out' }),
  S3_BUCKET: setting({ schema: z.string().min(3).max(63), fallback: 'homing', help: 'Bucket for media' }),
  AWS_CA_BUNDLE: setting({
    schema: pemFile,
    optional: true,
    help: 'Path of the CA that signs the certificate of the S3 server (PEM); then no other is believed',
  }),
  AWS_REGION: setting({ schema: z.string().min(1), fallback: 'us-east-1', help: 'Region of the bucket' }),
  AWS_ACCESS_KEY_ID: setting({
    schema: z.string().min(1),
    secret: true,
    optional: true,
    help: 'Left out where the machine has a role',
  }),
  AWS_SECRET_ACCESS_KEY: setting({
    schema: z.string().min(1),
    secret: true,
    optional: true,
    help: 'Left out where the machine has a role',
  }),
  ELASTICSEARCH_URL: setting({
    schema: webUrl,
    secret: true,
    optional: true,
    help: 'Elasticsearch; search is off without it',
  }),
  HOMING_PLAINTEXT_SERVICES: setting({
    schema: listOf(z.enum(serviceNames, { error: `must be of ${serviceNames.join(', ')}` })),
    fallback: '',
    help: 'Services that production may speak to without TLS, because you trust the network between, such as "redis,temporal"; what is on this machine need not be named',
  }),
  SENDGRID_API_KEY: setting({ schema: z.string().startsWith('SG.'), secret: true, help: 'SendGrid, for mail' }),
  SENDGRID_BASE_URL: setting({
    schema: webUrl,
    optional: true,
    help: 'A stand-in for SendGrid; refused in production',
  }),
  SENDGRID_WEBHOOK_KEYS: setting({
    schema: listOf(z.string().refine(eventKey, { message: 'must be verification keys as SendGrid shows them' })),
    fallback: '',
    help: 'Verification keys of SendGrid’s event webhook, comma-separated: the old and the new one while it is changed. Without one every report is refused',
  }),
  HOMING_EMAIL_FROM: setting({
    schema: z.email(),
    developmentFallback: 'homing@example.test',
    help: 'Sender of our mail',
  }),
  TWILIO_ACCOUNT_SID: setting({
    schema: z.string().regex(/^AC[0-9a-f]{32}$/, { message: 'must be AC and 32 hex digits' }),
    help: 'Twilio account',
  }),
  TWILIO_AUTH_TOKEN: setting({ schema: z.string().min(1), secret: true, help: 'Twilio, for SMS' }),
  TWILIO_AUTH_TOKEN_SECONDARY: setting({
    schema: z.string().min(1),
    secret: true,
    optional: true,
    help: 'The other token while it is changed: reports that are signed with either are taken',
  }),
  TWILIO_MESSAGING_SERVICE_SID: setting({
    schema: z.string().regex(/^MG[0-9a-f]{32}$/, { message: 'must be MG and 32 hex digits' }),
    help: 'Twilio messaging service that texts are sent by',
  }),
  TWILIO_BASE_URL: setting({
    schema: webUrl,
    optional: true,
    help: 'A stand-in for Twilio; refused in production',
  }),
  FCM_PROJECT_ID: setting({ schema: z.string().min(1), help: 'Firebase project that push is sent by' }),
  GOOGLE_APPLICATION_CREDENTIALS: setting({
    schema: z.string().min(1),
    optional: true,
    help: 'Path of the service account file; left out where the machine has an identity',
  }),
  FCM_BASE_URL: setting({
    schema: webUrl,
    optional: true,
    help: 'A stand-in for FCM; refused in production',
  }),
  HOMING_LADDER: setting({
    schema: ladderSetting,
    fallback: '',
    help: 'When steps fall due, such as "push=1.5s email=10m sms=30m"; what is not named keeps its default. No text is sent by night: "sms-night=21:00-08:00", or "off"',
  }),
  HOMING_CAPS: setting({
    schema: capsSetting,
    fallback: '',
    help: 'How many notifications one person may get, such as "email-hour=4 sms-day=5"; what is not named keeps its default. "org-sms-day=1000" is the organisation’s budget of texts a day, which has no limit otherwise',
  }),
  HOMING_QUEUE_RATES: setting({
    schema: ratesSetting,
    fallback: '',
    help: 'Calls a second that each provider is sent at most, by all workers together, such as "push=2000 email=200 sms=20"; what is not named keeps its default',
  }),
  HOMING_RATE_LIMITS: setting({
    schema: rateLimitsSetting,
    fallback: '',
    help: 'How much one person, session, address or conversation may ask, such as "send=20/2s login=5/1m search=off"; what is not named keeps its default, and all=off switches every limit off. "nodes=2" is how many nodes serve people: while Redis is away each admits its part',
  }),
  HOMING_SESSION_WATCH: setting({
    schema: watchSetting,
    fallback: '',
    help: 'How often each process reads which sessions have ended, and after how long without that it serves nobody, such as "reload=1s fence=30s"; 2 s and 60 s otherwise, and no more than that',
  }),
  HOMING_SECRET_KEY: setting({
    schema: z.string().min(32),
    secret: true,
    help: 'At least 32 characters; refresh tokens, codes and cursors are derived from it',
  }),
  HOMING_JWT_KEYS: setting({
    schema: keyring(signingKey),
    secret: true,
    help: 'Signing keys as JSON: [{"kid":"…","key":"PKCS#8 PEM of a P-256 key"}]; the first signs until one of the database does, all verify',
  }),
  HOMING_KEY_ENCRYPTION_KEYS: setting({
    schema: keyring(payloadKey),
    secret: true,
    optional: true,
    help: 'Keys that signing keys in the database are sealed with, as JSON: [{"kid":"…","key":"32 bytes in base64"}]; the first seals, all open. Left out, signing keys are not rotated but by hand',
  }),
  HOMING_PAYLOAD_KEYS: setting({
    schema: keyring(payloadKey),
    secret: true,
    help: 'Keys of workflow payloads as JSON: [{"kid":"…","key":"32 bytes in base64"}]; the first encrypts, all decrypt',
  }),
  HOMING_FACTOR_KEYS: setting({
    schema: keyring(payloadKey),
    secret: true,
    help: 'Keys of the secrets of authenticator apps, and of sign-ins elsewhere that are under way, as JSON: [{"kid":"…","key":"32 bytes in base64"}]; the first encrypts, all decrypt',
  }),
  HOMING_PASSWORD_PEPPER: setting({
    schema: peppersSetting,
    secret: true,
    help: 'At least 32 characters, mixed into every password hash; or several as JSON, [{"kid":"…","key":"…"}]: the first is mixed in, all are understood, and hashes of the time when one stood here alone are by the last. One that is taken away locks out whoever has not signed in since it was the first',
  }),
  HOMING_LEAKED_PASSWORDS_URL: setting({
    schema: address.overwrite(withoutSlashAtEnd),
    optional: true,
    help: 'Who is asked whether a new password was leaked, by the range protocol of Have I Been Pwned: https://api.pwnedpasswords.com, or a mirror of yours. Five hex digits of its SHA-1 are told. Left out, nobody is asked',
  }),
  HOMING_ARGON2_MEMORY: setting({
    schema: z.coerce.number().int().min(8).max(1024),
    fallback: '64',
    help: 'MiB of one password hash; 19 or more in production (OWASP)',
  }),
} satisfies Record<string, Setting>;

function signingKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

function eventKey(base64: string): boolean {
  try {
    return sendGridKey(base64) !== undefined;
  } catch {
    return false;
  }
}

function payloadKey(base64: string): boolean {
  return Buffer.from(base64, 'base64').length === 32;
}

export type Settings = typeof settings;
export type SettingName = keyof Settings;
type Value<Name extends SettingName> =
  | z.infer<Settings[Name]['schema']>
  | (Settings[Name] extends { optional: true } ? undefined : never);
export type Config = { readonly [Name in SettingName]: Value<Name> };
export type { Duration };

/** Everything that is wrong with the configuration, each fault with its remedy. Never holds a value. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

/**
 * Reads the configuration once and whole. Every fault is named with its remedy; a variable with our prefix that is not a
 * setting is one, because a misspelt limit would otherwise be no limit. Pass narrow values on, never the whole.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const faults: string[] = [];
  const development = (env.NODE_ENV ?? settings.NODE_ENV.fallback) !== 'production';
  const entries = Object.entries(settings).map(([name, definition]) => {
    const given =
      env[name] === '' && definition.schema !== settings.HOMING_ALLOWED_ORIGINS.schema ? undefined : env[name];
    return [name, readOne(name, definition, given, development, faults)] as const;
  });
  faults.push(
    ...unknownNames(env),
    ...productionFaults(env, development),
    ...standInFaults(env),
    ...certificateFaults(env),
  );
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(Object.fromEntries(entries)) as Config;
}

function readOne(
  name: string,
  definition: Setting,
  given: string | undefined,
  development: boolean,
  faults: string[],
): unknown {
  const raw = given ?? (development ? definition.developmentFallback : undefined) ?? definition.fallback;
  if (raw === undefined) {
    if (!definition.optional) faults.push(`${name} is missing: ${definition.help}.`);
    return undefined;
  }
  const parsed = definition.schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues.map(({ message }) => message).join('; ');
  faults.push(`${name} ${why}. It is for: ${definition.help}.`);
  return undefined;
}

// The test runner and the development server hand these to the roles' surroundings, not to the roles.
const notOurs = new Set(['HOMING_CACHE', 'HOMING_WITHOUT', 'HOMING_TEST_SERVICES']);

function unknownNames(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('HOMING_') && !(name in settings) && !notOurs.has(name))
    .map((name) => `${name} is not a setting: correct its spelling or remove it.`);
}

function productionFaults(env: NodeJS.ProcessEnv, development: boolean): string[] {
  if (development) return [];
  const faults = ['SENDGRID_BASE_URL', 'TWILIO_BASE_URL', 'FCM_BASE_URL']
    .filter((name) => env[name])
    .map((name) => `${name} must not be set in production: it would send people's messages to a stand-in.`);
  if (env.HOMING_CODEC_PORT && !env.HOMING_CODEC_TOKEN) {
    faults.push(
      'HOMING_CODEC_TOKEN is missing: the codec endpoint shows what is encrypted, so in production it asks for a token.',
    );
  }
  if (Number(env.HOMING_ARGON2_MEMORY ?? 64) < 19)
    faults.push('HOMING_ARGON2_MEMORY must be 19 or more in production.');
  return [...faults, ...faultsInTheClear(env)];
}

function certificateFaults(env: NodeJS.ProcessEnv): string[] {
  const [certificate, key] = ['TEMPORAL_TLS_CLIENT_CERT_PATH', 'TEMPORAL_TLS_CLIENT_KEY_PATH'];
  if (Boolean(env[certificate]) === Boolean(env[key])) return [];
  return [`${certificate} and ${key} belong together: set both, or none.`];
}

/** A stand-in, what is given to it, and how that looks when it is real. */
const standIns: readonly { url: SettingName; secret: SettingName; real: RegExp }[] = [
  { url: 'SENDGRID_BASE_URL', secret: 'SENDGRID_API_KEY', real: /^SG\.[\w-]{22}\.[\w-]{43}$/ },
  { url: 'TWILIO_BASE_URL', secret: 'TWILIO_AUTH_TOKEN', real: /^[0-9a-f]{32}$/i },
  // The stand-in asks for no account: a file of one can only be real.
  { url: 'FCM_BASE_URL', secret: 'GOOGLE_APPLICATION_CREDENTIALS', real: /./ },
];

/** Real credentials go to their provider alone: a stand-in is somebody's process, spoken to without TLS. */
function standInFaults(env: NodeJS.ProcessEnv): string[] {
  return standIns
    .filter(({ url: address, secret, real }) => env[address] && real.test(env[secret] ?? ''))
    .map(
      ({ url: address, secret }) =>
        `${secret} looks real, and ${address} would send it to a stand-in: remove one of them, or give a made-up ${secret}.`,
    );
}
