import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readGraph } from '../../scripts/boundaries/graph.ts';
import { judge, type Violation } from '../../scripts/boundaries/judge.ts';

/** A house in small: one file or two in every folder, all of them clean. */
const house: Readonly<Record<string, string>> = {
  'contracts/ids.ts': "import { z } from 'zod';\nexport const Id = z.string();",
  'contracts/users.ts': "import { Id } from './ids.ts';\nexport const User = Id;",
  'contracts/names.ts': 'export const names = [1];',
  'db/client.ts': "import pg from 'pg';\nexport const pool = pg;",
  'db/migrate.ts': "import knex from 'knex';\nexport const k = knex;",
  'db/provision.ts': '',
  'db/read-scope.ts': '',
  'db/queries/users.ts': '',
  'db/migrations/first.ts': "import type { Knex } from 'knex';\nexport type K = Knex;",
  'domain/deps.ts': 'export type Deps = object;',
  'domain/errors.ts': '',
  'domain/messages/index.ts': '',
  'domain/messages/send.ts': '',
  'domain/accounts/me.ts': '',
  'platform/config.ts': '',
  'platform/config-types.ts': '',
  'platform/redis.ts': '',
  'platform/dev-secrets.ts': '',
  'temporal/start.ts': '',
  'activities/index.ts': '',
  'workflows/index.ts': '',
  'workers/relay.ts': '',
  'api/app.ts': '',
  'realtime/server.ts': '',
  'web/chat.ts': '',
  'sdk/index.ts': '',
  'sdk/reducer.ts': '',
  'cli/explain.ts': '',
  'sandbox/inbox.ts': '',
  'dev/start.ts': '',
  'scripts/check.ts': '',
  'test/factory.ts': '',
  'main.ts': '',
  'runtime.ts': '',
};

/** Writes the small house with some files on top, holds the rules against it, and clears it away. */
export function judgeHouse(planted: Readonly<Record<string, string>>): Violation[] {
  const root = mkdtempSync(join(tmpdir(), 'house-'));
  try {
    for (const [path, text] of Object.entries({ ...house, ...planted })) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return judge(readGraph(root));
  } finally {
    rmSync(root, { recursive: true });
  }
}
