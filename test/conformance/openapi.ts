import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import {
  makeChannel,
  makeDirect,
  makeGroup,
  password,
  registerPeople,
  send,
  verifyContacts,
} from '../factories/person.ts';
import { root } from '../../dev/services/index.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { staff } from '../support/jobs.ts';

// A program of others reads the OpenAPI document, makes requests of it, and holds every answer against it. Not of the
// suite: it is another language's, and takes minutes. docs/testing.md says how it is run.

const here = fileURLToPath(new URL('.', import.meta.url));
const seconds = Number(process.env.HOMING_SCHEMATHESIS_SECONDS ?? 600);
const folder = join(root, '.homing', 'schemathesis');
/** Where the program is, in an environment of its own outside of this tree. */
const program = process.env.HOMING_SCHEMATHESIS ?? 'schemathesis';

/** What a refusal says of good input is the domain's, and no document can tell it: a second factor, a limit, a role. */
const notJudged = 'positive_data_acceptance';

describe('what the OpenAPI document says', () => {
  let app: TestApp;
  let db: pg.Client;
  before(async () => {
    mkdirSync(folder, { recursive: true });
    app = await startApp({ processes: [['api', 'realtime', 'relay', 'worker']] });
    db = new pg.Client(app.database.adminUrl);
    await db.connect();
  });
  after(async () => {
    await db?.end();
    await app?.stop();
  });

  it('is what every answer keeps to', async () => {
    const people = [...(await registerPeople(app, 'Ana', 'Bob', 'Cem')), await staff(app, db, 'admin')] as const;
    const [ana, bob, cem] = people;
    for (const person of people) await verifyContacts(app, person);
    const rooms = [await makeGroup(ana, [bob, cem]), await makeDirect(ana, bob), await makeChannel(bob)];
    const messages = [];
    for (const [n, { id }] of rooms.entries())
      for (const text of ['one', 'two']) messages.push(await send(n === 2 ? bob : ana, id, text));
    const known = {
      id: [...rooms, ...messages, ...people].map(({ id }) => id),
      messageId: messages.map(({ id }) => id),
      userId: people.map(({ id }) => id),
      deviceId: [randomUUIDv7()],
    };
    const child = spawn(
      program,
      [
        ...[
          '--config-file',
          join(here, 'schemathesis.toml'),
          'run',
          `${app.url}/openapi.json`,
          '--url',
          app.url,
          '--workers',
          '1',
          '--max-time',
          String(seconds),
        ],
        ...['--checks', 'all', '--exclude-checks', notJudged, '--max-redirects', '0', '--continue-on-failure'],
        ...['--report', 'ndjson', '--report-dir', folder],
      ],
      {
        // It keeps what it found where it runs.
        cwd: folder,
        stdio: 'inherit',
        env: {
          ...process.env,
          PYTHONPATH: here,
          PYTHONDONTWRITEBYTECODE: '1',
          SCHEMATHESIS_HOOKS: 'homing_hooks',
          HOMING_URL: app.url,
          HOMING_PEOPLE: JSON.stringify(people.map(({ id, email }) => ({ id, identifier: email, password }))),
          HOMING_KNOWN: JSON.stringify(known),
        },
      },
    );
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  }).timeout((seconds + 600) * 1_000);
});
