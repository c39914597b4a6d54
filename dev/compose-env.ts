import { randomBytes } from 'node:crypto';
import { developmentSecrets } from '../platform/dev-secrets.ts';

/** The secrets that compose.yaml asks for, made anew at every call. */
export function composeSecrets(): Record<string, string> {
  const password = () => randomBytes(18).toString('base64url');
  return {
    ...developmentSecrets(),
    ...{ POSTGRES_PASSWORD: password(), OWNER_PASSWORD: password(), APP_PASSWORD: password() },
    ...{ AWS_ACCESS_KEY_ID: 'homing', AWS_SECRET_ACCESS_KEY: password() },
  };
}

/**
 * An .env file with what it lacks of the secrets, and the names of those. What the person has set stays; a name that stands
 * there without a value, as in a copy of .env.example, is not set.
 */
export function completeEnv(text: string, secrets: Record<string, string>): { text: string; added: string[] } {
  const set = new Set([...text.matchAll(/^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*\S/gm)].map(([, name]) => name));
  const added = Object.keys(secrets).filter((name) => !set.has(name));
  // In single quotes nothing is interpolated; none of these values holds one. The last line of a name wins.
  const lines = added.map((name) => `${name}='${secrets[name]}'\n`);
  return { text: `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${lines.join('')}`, added };
}
