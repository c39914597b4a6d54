import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { developmentSecrets } from '../platform/dev-secrets.ts';

/** What a developer's own services are locked with. Kept over restarts: the data was made with them. */
export interface Secrets {
  postgresPassword: string;
  ownerPassword: string;
  appPassword: string;
  s3AccessKeyId: string;
  s3SecretAccessKey: string;
  /** The app's own, as environment variables. */
  app: Record<string, string>;
}

/** Reads secrets.json of the state folder; makes what is missing. */
export function keepSecrets(state: string): Secrets {
  const file = join(state, 'secrets.json');
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {};
  const secrets: Secrets = {
    ...{ postgresPassword: random(), ownerPassword: random(), appPassword: random() },
    ...{ s3AccessKeyId: 'homing', s3SecretAccessKey: random() },
    ...kept,
    // A setting that the app came to need since is added; those that are kept stay.
    app: { ...developmentSecrets(), ...withoutOldToken(kept.app) },
  };
  mkdirSync(state, { recursive: true });
  writeFileSync(`${file}.part`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.part`, file);
  return secrets;
}

/** Tokens of the time when they looked like Twilio's own are made anew: the app refuses them beside the sandbox. */
function withoutOldToken({ TWILIO_AUTH_TOKEN: token, ...others }: Record<string, string> = {}): Record<string, string> {
  return token && token.startsWith('sandbox-') ? { ...others, TWILIO_AUTH_TOKEN: token } : others;
}

function random(): string {
  return randomBytes(18).toString('base64url');
}
