import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { isAlive } from '../scripts/lock.mjs';
import { type RunFile, readRun } from './run-file.ts';
import { keepSecrets } from './secrets.ts';
import { root } from './services/index.ts';

// npm run homing: the operator's command with the settings of the environment, else with those of the start that runs here.

const child = spawn(process.execPath, [join(root, 'cli', 'main.ts'), ...process.argv.slice(2)], {
  env: { ...settingsOfRun(), ...process.env },
  stdio: 'inherit',
});
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});

/** Who says in which environment they are has settings of their own. */
function settingsOfRun(): NodeJS.ProcessEnv {
  if (process.env.NODE_ENV !== undefined) return {};
  const state = join(root, '.homing');
  const run = readRun(state);
  return run && isAlive(run) ? toSettings(run, state) : {};
}

function toSettings(run: RunFile, state: string): NodeJS.ProcessEnv {
  const { app, s3AccessKeyId, s3SecretAccessKey } = keepSecrets(state);
  return {
    ...app,
    NODE_ENV: 'development',
    DATABASE_URL: run.postgres,
    REDIS_URL: run.redis,
    HOMING_PUBLIC_URL: run.api,
    TEMPORAL_ADDRESS: run.temporalAddress,
    TEMPORAL_NAMESPACE: process.env.TEMPORAL_NAMESPACE ?? 'homing',
    HOMING_TEMPORAL_UI_URL: run.temporalUi,
    S3_ENDPOINT: run.s3,
    S3_BUCKET: 'homing',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: s3AccessKeyId,
    AWS_SECRET_ACCESS_KEY: s3SecretAccessKey,
    SENDGRID_BASE_URL: run.sandbox,
    TWILIO_BASE_URL: run.sandbox,
    FCM_BASE_URL: run.sandbox,
  };
}
