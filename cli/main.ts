#!/usr/bin/env node
import { userInfo } from 'node:os';
import { randomUUIDv7 } from 'node:crypto';
import { openDb } from '../db/client.ts';
import { ConfigError, readConfig } from '../platform/config.ts';
import { createEgress } from '../platform/egress.ts';
import { makeSigningKey } from '../platform/key-set.ts';
import { createLeakedPasswords } from '../platform/leaked-passwords.ts';
import { createMac } from '../platform/mac.ts';
import { createPasswords } from '../platform/passwords.ts';
import { createSeal } from '../platform/sealing.ts';
import { temporalTls } from '../platform/temporal-tls.ts';
import { workflowUrls } from '../platform/temporal-ui.ts';
import { createReportDoors } from '../platform/webhooks/index.ts';
import { CodedError } from '../contracts/errors.ts';
import { openTemporal } from '../temporal/client.ts';
import { createJobs } from '../temporal/jobs.ts';
import { type Console, UsageError } from './command.ts';
import { run } from './commands.ts';

/** homing: what operators ask and do, on the database itself, with the settings of any role. Exit codes as in sysexits.h. */
const codes = { refused: 1, usage: 2, config: 78 };

const say = (text: string) => process.stdout.write(`${text}\n`);
const complain = (text: string, code: number) => {
  process.stderr.write(`${text}\n`);
  process.exitCode = code;
};

try {
  await run(process.argv.slice(2), open, say);
} catch (error) {
  if (error instanceof UsageError) complain(error.message, codes.usage);
  else if (error instanceof ConfigError) complain(error.message, codes.config);
  else if (error instanceof CodedError) complain(inWords(error), codes.refused);
  else complain(`It failed: ${(error as Error).message}`, codes.refused);
}

/** Opens what the commands work on. Whoever stands at the command line is named by their account on this machine. */
function open(): Console {
  const config = readConfig();
  const seal = config.HOMING_KEY_ENCRYPTION_KEYS && createSeal(config.HOMING_KEY_ENCRYPTION_KEYS);
  const db = openDb({ url: config.DATABASE_URL, applicationName: 'homing-cli', maxConnections: 1 });
  const temporal = openTemporal({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    payloadKeys: config.HOMING_PAYLOAD_KEYS,
    tls: temporalTls(config),
  });
  // What went wrong stands in the answer.
  const log = { info() {}, warn() {}, error() {} };
  const egress = createEgress({ allow: config.HOMING_EGRESS_ALLOW, log });
  return {
    deps: {
      db,
      now: () => new Date(),
      newId: () => randomUUIDv7(),
      mac: createMac(config.HOMING_SECRET_KEY),
      log,
      // Figures are those of processes that stay.
      meter: { announced() {}, reported() {}, acknowledged() {}, recounted() {} },
      passwords: createPasswords({
        memoryMiB: config.HOMING_ARGON2_MEMORY,
        peppers: config.HOMING_PASSWORD_PEPPER,
        log,
        isLeaked: createLeakedPasswords({
          url: config.HOMING_LEAKED_PASSWORDS_URL,
          request: egress.fetch,
          count() {},
        }),
      }),
      makeSigningKey: seal ? () => makeSigningKey(seal) : null,
      // What these commands change no socket waits for.
      publishLive: () => undefined,
      workflowUrl: workflowUrls(config.HOMING_TEMPORAL_UI_URL, config.TEMPORAL_NAMESPACE),
      jobs: createJobs(temporal, config.HOMING_TASK_QUEUE_PREFIX),
    },
    by: { operator: userInfo().username },
    doors: Object.values(createReportDoors(config)),
    tell: (text) => process.stderr.write(`${text}\n`),
    close: async () => void (await Promise.all([db.end(), temporal.connection.close(), egress.close()])),
  };
}

function inWords({ code, message, errors = [] }: CodedError): string {
  return [`${code}: ${message}`, ...errors.map(({ path, message: fault }) => `  ${path} ${fault}`)].join('\n');
}
