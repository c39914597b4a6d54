import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../dev/services/index.ts';
import { type TestApp, startApp } from '../setup/app.ts';

const textOf = (file: string) => readFileSync(join(root, file), 'utf8');

describe('the README', function () {
  this.timeout(60_000);
  let app: TestApp;
  let folder: string;

  before(async () => {
    app = await startApp();
    folder = mkdtempSync(join(tmpdir(), 'homing-readme-'));
    mkdirSync(join(folder, '.homing'));
    writeFileSync(join(folder, '.homing', 'run.json'), JSON.stringify({ api: app.url }));
  });
  after(async () => {
    await app?.stop();
    rmSync(folder, { recursive: true });
  });

  it('has a first request that works line by line, at any port and any number of times, and leaves no file', async () => {
    const [, block = ''] = /## First request\n+```sh\n([^]*?)```/.exec(textOf('README.md')) ?? [];
    for (let time = 0; time < 2; time += 1) {
      // Where its input is a socket, as a parent's may be, bash takes itself for a remote shell and reads its start-up file.
      const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-euo', 'pipefail', '-c', block], {
        cwd: folder,
      });
      assert.equal(stderr, '');
      assert.equal(stdout.match(/"text":"Hello, Bob"/g)?.length, 2, stdout);
      assert.match(stdout, /"accessToken":"[^"]+"[^]*$/);
    }
    assert.equal(existsSync(join(folder, 'ana.json')), false);
  });
});

describe('the pages', () => {
  for (const page of ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md']) {
    it(`of ${page} name files that there are`, () => {
      const named = [...textOf(page).matchAll(/`((?:[\w-]+\/)+[\w-]+\.(?:ts|mjs|sql|json))`/g)].map(([, file]) => file);
      const written = named.filter((file): file is string => file !== undefined && !file.startsWith('.homing/'));
      assert.deepEqual(
        written.filter((file) => !existsSync(join(root, file))),
        [],
      );
    });
  }

  it('name npm scripts that there are', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map(textOf).join('\n');
    const named = [...pages.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? '');
    assert.ok(named.length > 5);
    assert.deepEqual(
      named.filter((name) => !(name in scripts)),
      [],
    );
  });
});
