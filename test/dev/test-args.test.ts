import assert from 'node:assert/strict';
import { root } from '../../dev/services/index.ts';
import { readTestArgs } from '../../dev/test-args.ts';
import { runDev } from './started.ts';

describe('what npm test is given', () => {
  const read = (...args: string[]) => readTestArgs(args, root);

  it('are files, folders and globs, beside mocha’s own options and what belongs to them', () => {
    const paths = ['test/dev', 'test/dev/flags.test.ts', 'test/**/*.test.ts'];
    assert.deepEqual(read(...paths), { named: paths, missing: [] });
    const options = ['-g', 'words', '--bail', '--timeout=5', '--no-parallel', '-R', 'dot', '-b'];
    assert.deepEqual(read(...options, 'test/dev'), { named: ['test/dev'], missing: [] });
  });

  it('is refused, and nothing is started, where a path is not there', async () => {
    assert.deepEqual(read('test/nonsense', 'test/dev').missing, ['test/nonsense']);
    assert.deepEqual(read('test/none*.test.ts').missing, ['test/none*.test.ts']);
    const run = runDev('test.ts', ['test/nonsense']);
    assert.deepEqual(await run.ended, [2, null]);
    assert.match(run.said(), /^There is no test\/nonsense[^\n]*\n$/);
  });
});
