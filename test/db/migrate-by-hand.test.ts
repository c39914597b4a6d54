import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, root } from '../../dev/services/index.ts';
import { startedAt } from '../../scripts/lock.mjs';
import { removeTempFolders, tempFolder } from '../dev/support.ts';
import { type TestDatabase, createDatabase } from '../setup/database.ts';

describe('migrating by hand', function () {
  this.timeout(60_000);
  let database: TestDatabase;

  before(async () => {
    database = await createDatabase();
  });
  after(async () => {
    await database.drop();
    removeTempFolders();
  });

  const run = (entry: string, more: NodeJS.ProcessEnv) => {
    const { DATABASE_OWNER_URL: _unset, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync(process.execPath, [entry], { env: { ...env, ...more } });
    return { status, stdout: stdout.toString(), stderr: stderr.toString() };
  };
  const migrate = (ownerUrl: string | undefined) =>
    run(join(root, 'db', 'migrate.ts'), ownerUrl === undefined ? {} : { DATABASE_OWNER_URL: ownerUrl });
  const altered = (change: (url: URL) => void) => {
    const url = new URL(database.ownerUrl);
    change(url);
    return url.href;
  };

  it('says that there is nothing to do', () => {
    assert.deepEqual(migrate(database.ownerUrl), { status: 0, stdout: 'The schema is up to date.\n', stderr: '' });
  });

  it('when the address is missing or wrong, then what is wrong and what helps is said, without a stack', async () => {
    const port = String(await freePort());
    const name = `nobody_${randomBytes(3).toString('hex')}`;
    const wrong: [string | undefined, RegExp][] = [
      [undefined, /^DATABASE_OWNER_URL is missing/],
      ['nonsense', /is no address: postgres:/],
      [altered((url) => (url.port = port)), /nothing listens there/],
      [altered((url) => (url.password = 'wrong')), /the password is wrong/],
      [altered((url) => (url.username = name)), /the password is wrong/],
      [altered((url) => (url.pathname = `/${name}`)), /there is no such database/],
      [database.url, /does not own the schema[^]*homing_owner/],
    ];
    for (const [ownerUrl, expected] of wrong) {
      const { status, stderr } = migrate(ownerUrl);
      assert.notEqual(status, 0);
      assert.match(stderr, expected);
      assert.ok(!/\n +at /.test(stderr), stderr);
      assert.ok(!stderr.includes(new URL(database.ownerUrl).password), 'it prints no password');
    }
  });

  it('when npm start runs here, then its database is taken, and that is said; not in production', () => {
    const clone = tempFolder();
    for (const name of ['db', 'dev', 'scripts', 'node_modules', 'package.json']) {
      symlinkSync(join(root, name), join(clone, name));
    }
    mkdirSync(join(clone, '.homing'));
    const started = { pid: process.pid, started: startedAt(process.pid), postgresOwner: database.ownerUrl };
    writeFileSync(join(clone, '.homing', 'run.json'), JSON.stringify(started));
    const entry = join(clone, 'dev', 'migrate.ts');
    const { status, stdout } = run(entry, { NODE_OPTIONS: '--preserve-symlinks --preserve-symlinks-main' });
    assert.equal(status, 0);
    assert.match(stdout, /using the database of npm start \(pid \d+\)[^]*up to date/);
    const env = { NODE_OPTIONS: '--preserve-symlinks --preserve-symlinks-main', NODE_ENV: 'production' };
    assert.equal(run(entry, env).status, 2);
  });
});
