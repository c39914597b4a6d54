import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completeEnv, composeSecrets } from './compose-env.ts';
import { root } from './services/context.ts';

// npm run compose -- up --build: the same stack in containers. Adds the secrets that compose.yaml asks for and that .env lacks,
// and runs docker compose.

const file = join(root, '.env');
const { text, added } = completeEnv(existsSync(file) ? readFileSync(file, 'utf8') : '', composeSecrets());
if (added.length > 0) {
  writeFileSync(file, text);
  // A copy of the example came with the example's mode.
  chmodSync(file, 0o600);
  process.stdout.write(`Secrets for compose.yaml, made anew and written to .env: ${added.join(', ')}\n`);
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
