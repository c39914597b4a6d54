import pg from 'pg';

/** Where nothing leaves the machine. */
export const ownMachine = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/;

interface Service {
  /** What names it in HOMING_PLAINTEXT_SERVICES. */
  name: (typeof serviceNames)[number];
  setting: string;
  isPlain: (address: string, env: NodeJS.ProcessEnv) => boolean;
  remedy: string;
}

export const serviceNames = ['postgresql', 'redis', 'temporal', 's3', 'elasticsearch'] as const;

const postgresql = {
  name: 'postgresql',
  isPlain: isPlainPostgres,
  remedy: 'add ?sslmode=verify-full to it, and &sslrootcert=/path/of/ca.pem where the CA is your own',
} as const;

const services: readonly Service[] = [
  { ...postgresql, setting: 'DATABASE_URL' },
  { ...postgresql, setting: 'DATABASE_OWNER_URL' },
  {
    name: 'redis',
    setting: 'REDIS_URL',
    isPlain: isPlainUrl('redis:'),
    remedy: 'begin it with rediss://, and set HOMING_REDIS_CA where the CA is your own',
  },
  {
    name: 'temporal',
    setting: 'TEMPORAL_ADDRESS',
    isPlain: (address, env) => !asksForTls(env) && !ownMachine.test(address.replace(/:\d+$/, '')),
    remedy: 'set TEMPORAL_TLS=true, or TEMPORAL_TLS_SERVER_CA_CERT_PATH where the CA is your own',
  },
  {
    name: 's3',
    setting: 'S3_ENDPOINT',
    isPlain: isPlainUrl('http:'),
    remedy: 'begin it with https://, and set AWS_CA_BUNDLE where the CA is your own',
  },
  {
    name: 'elasticsearch',
    setting: 'ELASTICSEARCH_URL',
    isPlain: isPlainUrl('http:'),
    remedy: 'begin it with https://',
  },
];

/** A client certificate or a CA is for nothing else, so either asks for TLS by itself. */
export const asksForTls = (env: Readonly<Record<string, string | undefined>>): boolean =>
  env.TEMPORAL_TLS === 'true' ||
  ['TEMPORAL_TLS_SERVER_CA_CERT_PATH', 'TEMPORAL_TLS_CLIENT_CERT_PATH'].some((name) => Boolean(env[name]));

function isPlainUrl(scheme: string): Service['isPlain'] {
  return (address) => {
    const url = URL.parse(address);
    return url?.protocol === scheme && !ownMachine.test(url.hostname);
  };
}

/**
 * `verify-full` alone means the same to every client of PostgreSQL: with `require` libpq takes any certificate, and without
 * a word node-postgres does not ask for TLS at all. Of two the last one counts, so there may be one.
 */
function isPlainPostgres(address: string): boolean {
  const url = URL.parse(address);
  if (!url?.protocol.startsWith('postgres')) return false;
  const host = hostOfPostgres(address);
  if (host === undefined || host.startsWith('/') || ownMachine.test(host)) return false;
  return url.searchParams.getAll('sslmode').join() !== 'verify-full';
}

/**
 * Where node-postgres goes with it: of several hosts to the last one, and where none is named to `PGHOST`. Undefined for what is
 * no address, by which nothing is reached.
 */
function hostOfPostgres(address: string): string | undefined {
  try {
    // Without the files that it names, which would be read.
    return new pg.Client(address.replaceAll(/(?<=[?&])ssl\w*=[^&]*/g, '')).host;
  } catch {
    return undefined;
  }
}

/** What production would say in the clear to somebody beyond this machine, each with its remedy. */
export function faultsInTheClear(env: NodeJS.ProcessEnv): string[] {
  return [...plainPublicly(env), ...plainServices(env), ...trustingAnybody(env)];
}

function plainPublicly(env: NodeJS.ProcessEnv): string[] {
  const isPlain = isPlainUrl('http:');
  return ['HOMING_PUBLIC_URL', 'HOMING_ALLOWED_ORIGINS']
    .filter((name) => (env[name] ?? '').split(',').some((address) => isPlain(address.trim(), env)))
    .map(
      (name) =>
        `${name} must be https:// in production (http:// is for localhost alone): passwords, tokens and messages would be read on the way. Put TLS in front, and name the address that people see.`,
    );
}

function plainServices(env: NodeJS.ProcessEnv): string[] {
  const trusted = (env.HOMING_PLAINTEXT_SERVICES ?? '').split(',').map((name) => name.trim());
  return services
    .filter(({ name, setting, isPlain }) => env[setting] && !trusted.includes(name) && isPlain(env[setting], env))
    .map(
      ({ name, setting, remedy }) =>
        `${setting} is without TLS that is verified, which production refuses: ${remedy}. Where you trust the network between, name ${name} in HOMING_PLAINTEXT_SERVICES.`,
    );
}

function trustingAnybody(env: NodeJS.ProcessEnv): string[] {
  if (env.NODE_TLS_REJECT_UNAUTHORIZED !== '0') return [];
  return [
    'NODE_TLS_REJECT_UNAUTHORIZED must not be 0 in production: whoever stands between would be believed. Name the CA of each service instead.',
  ];
}
