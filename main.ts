import { ConfigError, readConfig } from './platform/config.ts';
import { stopOnSignals } from './platform/shutdown.ts';
import { type Role, roles, startRoles } from './roles.ts';

/**
 * One image, several roles: `node main.ts api realtime` serves REST and sockets on one port, `node main.ts relay` and
 * `node main.ts worker` do the durable work.
 */
const chosen = process.argv.slice(2);
if (chosen.length === 0 || chosen.some((role) => !(role in roles))) {
  process.stderr.write(`Give one role or several of: ${Object.keys(roles).join(', ')}.\n`);
  process.exit(2);
}

try {
  const { runtime } = await startRoles(readConfig(), chosen as Role[]);
  stopOnSignals(runtime.shutdown);
} catch (error) {
  const misconfigured = error instanceof ConfigError;
  process.stderr.write(`${misconfigured ? error.message : `Could not start: ${(error as Error).stack}`}\n`);
  // 78 is sysexits.h's EX_CONFIG.
  process.exit(misconfigured ? 78 : 1);
}
