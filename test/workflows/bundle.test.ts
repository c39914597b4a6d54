import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from '../../dev/services/index.ts';
import { workflowBundle } from '../../workers/bundle-workflows.ts';

describe('the workflow bundle of an image', function () {
  this.timeout(120_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'homing-image-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is made by its entry, and is the one that the worker looks for: then nothing is built or written', async () => {
    const entry = join(root, 'workers', 'bundle-workflows.ts');
    const made = execFileSync(process.execPath, [entry, join(folder, 'build')], { encoding: 'utf8' }).trim();
    assert.ok(readFileSync(made, 'utf8').includes('escalateUnread'));
    chmodSync(join(folder, 'build'), 0o555);
    const { mtimeMs } = statSync(made);
    assert.equal(await workflowBundle({ folder: join(folder, 'build') }), made);
    assert.equal(statSync(made).mtimeMs, mtimeMs);
    assert.deepEqual(readdirSync(join(folder, 'build')), [basename(await workflowBundle())]);
  });

  it('that is missing where nothing may be written is told of once, with what helps, and the worker works', async () => {
    // A file where the folder would be: no account may write below it, not even root.
    writeFileSync(join(folder, 'file'), '');
    const warned: string[] = [];
    const options = { folder: join(folder, 'file'), warn: (message: string) => void warned.push(message) };
    const first = await workflowBundle(options);
    assert.equal(await workflowBundle(options), first);
    assert.ok(existsSync(first));
    assert.equal(warned.length, 1);
    assert.match(warned[0] ?? '', /cannot be written[^]*node workers\/bundle-workflows\.ts/);
  });

  it('makes its entry fail where it cannot be kept', () => {
    const entry = join(root, 'workers', 'bundle-workflows.ts');
    writeFileSync(join(folder, 'other'), '');
    assert.throws(() => execFileSync(process.execPath, [entry, join(folder, 'other')], { stdio: 'pipe' }), {
      message: /cannot be written/,
    });
  });
});
