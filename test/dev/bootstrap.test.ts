import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../../dev/services/index.ts';
import { isRunning, removeTempFolders, tempFolder, until } from './support.ts';

/** Stands in for npm: notes that it was called, takes a while, and installs what the lock file says, with its record. */
const fakeNpm = `
const fs = require('fs');
fs.appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
fs.rmSync('node_modules', { recursive: true, force: true });
setTimeout(() => {
  fs.mkdirSync('node_modules/node/bin', { recursive: true });
  fs.symlinkSync(${JSON.stringify(process.execPath)}, 'node_modules/node/bin/node');
  const { packages: { '': root, ...packages } } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
  for (const path of Object.keys(packages)) if (packages[path].optional) delete packages[path];
  fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
}, 300);
`;

describe('the bootstrap', function () {
  this.timeout(60_000);
  let clone: string;

  beforeEach(() => {
    clone = tempFolder();
    for (const name of ['bootstrap.mjs', 'install-state.mjs', 'lock.mjs']) {
      cpSync(join(root, 'scripts', name), join(clone, 'scripts', name));
    }
    writeFileSync(join(clone, 'npm.js'), fakeNpm);
    lock({ 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } });
    writeFileSync(join(clone, 'script.ts'), 'const n: number = 7;\nprocess.exit(n);\n');
  });
  after(removeTempFolders);

  const lock = (packages: Record<string, object>) =>
    writeFileSync(join(clone, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...packages } }));
  const npmCalls = () => readFileSync(join(clone, 'npm-calls'), 'utf8').trim().split('\n').length;
  const start = (script = 'script.ts', ...args: string[]): ChildProcess =>
    spawn(process.execPath, [join(clone, 'scripts', 'bootstrap.mjs'), script, ...args], {
      cwd: clone,
      env: { ...process.env, npm_execpath: join(clone, 'npm.js') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const run = async (script?: string) => {
    const [code] = (await once(start(script), 'exit')) as [number];
    return code;
  };

  it('installs when there is nothing, runs the script, and answers with its exit code', async () => {
    assert.equal(await run(), 7);
    assert.equal(npmCalls(), 1);
  });

  it('does not install twice', async () => {
    await run();
    assert.equal(await run(), 7);
    assert.equal(npmCalls(), 1);
  });

  it('installs anew when the lock file names another version', async () => {
    await run();
    lock({ 'node_modules/a': { version: '1.0.1', integrity: 'sha512-b' } });
    assert.equal(await run(), 7);
    assert.equal(npmCalls(), 2);
  });

  it('does not install over what npm install did by hand, nor for a package of another platform', async () => {
    await run();
    const added = { 'node_modules/b': { version: '2.0.0', integrity: 'sha512-b' } };
    const present = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' }, ...added };
    lock({ ...present, 'node_modules/b-darwin': { version: '2.0.0', optional: true } });
    writeFileSync(join(clone, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: present }));
    assert.equal(await run(), 7);
    assert.equal(npmCalls(), 1);
  });

  it('installs once when two are started at once', async () => {
    assert.deepEqual(await Promise.all([run(), run()]), [7, 7]);
    assert.equal(npmCalls(), 1);
  });

  it('takes over from an installer that was killed', async () => {
    const first = start();
    await until(() => contentOf(join(clone, 'npm-calls')));
    first.kill('SIGKILL');
    await once(first, 'exit');
    assert.equal(await run(), 7);
  });

  it('when it is interrupted while it installs, then npm and its children end, and nothing false is said', async () => {
    const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`;
    writeFileSync(
      join(clone, 'npm.js'),
      `const { spawn } = require('child_process');
      const child = spawn(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { stdio: 'ignore' });
      require('fs').writeFileSync('npm-child', String(child.pid));
      process.on('SIGTERM', () => process.exit(1)); setInterval(() => {}, 1000);`,
    );
    const child = start();
    let told = '';
    child.stderr?.on('data', (chunk) => (told += chunk));
    const pid = Number(await until(() => contentOf(join(clone, 'npm-child'))));
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'close'), [130, null]);
    await until(() => !isRunning(pid));
    assert.match(told, /Stopped while installing/);
    assert.doesNotMatch(told, /failed/);
  });

  it('when what it runs is killed, then it says that the services go on, and how to stop them', async () => {
    await run();
    mkdirSync(join(clone, 'dev'));
    writeFileSync(join(clone, 'dev', 'start.ts'), `process.kill(process.pid, 'SIGKILL');`);
    const child = start('dev/start.ts', '--state', 'there');
    let told = '';
    child.stderr?.on('data', (chunk) => (told += chunk));
    assert.deepEqual(await once(child, 'close'), [137, null]);
    assert.match(told, /start\.ts was killed[^]*npm stop -- --state there/);
  });

  it('says what helps when the pinned Node is missing although everything is installed', async () => {
    await run();
    rmSync(join(clone, 'node_modules', 'node'), { recursive: true });
    mkdirSync(join(clone, 'node_modules', 'node'));
    writeFileSync(join(clone, 'node_modules', 'node', 'installArchSpecificPackage.js'), '');
    const child = start();
    let told = '';
    child.stderr?.on('data', (chunk) => (told += chunk));
    await once(child, 'close');
    assert.equal(child.exitCode, 1);
    assert.match(told, /npm rebuild node/);
  });

  it('hands on a TERM, and ends as its script does', async () => {
    await run();
    const code = `process.on('SIGTERM', () => process.exit(3)); setInterval(() => {}, 1000); console.log(process.pid);`;
    writeFileSync(join(clone, 'waits.ts'), code);
    const child = start('waits.ts');
    assert.ok(child.stdout);
    const [pid] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [3, null]);
    assert.equal(isRunning(Number(pid)), false);
  });
});

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

describe('package-lock.json', () => {
  it('names the packages of every platform, without which npm ci refuses it', () => {
    const check = spawnSync(process.execPath, [join(root, 'scripts', 'complete-lock.mjs'), '--check']);
    assert.equal(check.status, 0, check.stderr.toString());
  });
});
