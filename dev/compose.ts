import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { developmentSecrets } from '../platform/dev-secrets.ts';
import { root } from './services/context.ts';

// npm run compose -- up --build: the same stack in containers. Writes the secrets that compose.yaml asks for to .env, once,
// and runs docker compose.

const file = join(root, '.env');
if (!existsSync(file)) {
  writeFileSync(file, composeEnv(), { mode: 0o600 });
  process.stdout.write('The secrets for compose.yaml are in .env, made anew.\n');
}
const args = process.argv.slice(2);
const docker = spawn('docker', ['compose', ...(args.length > 0 ? args : ['up', '--build'])], {
  stdio: 'inherit',
  cwd: root,
});
docker.on('error', () => {
  process.stderr.write('Docker is missing. Without it: npm start\n');
  process.exitCode = 1;
});
docker.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => docker.kill(signal));

function composeEnv(): string {
  const password = () => randomBytes(18).toString('base64url');
  const all = {
    ...developmentSecrets(),
    ...{ POSTGRES_PASSWORD: password(), OWNER_PASSWORD: password(), APP_PASSWORD: password() },
    ...{ AWS_ACCESS_KEY_ID: 'homing', AWS_SECRET_ACCESS_KEY: password() },
  };
  // In single quotes nothing is interpolated; none of these values holds one.
  return Object.entries(all)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('');
}
