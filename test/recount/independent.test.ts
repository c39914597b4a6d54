import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from 'oxc-parser';
import { root } from '../../dev/services/index.ts';
import { readImports } from '../../scripts/boundaries/read-imports.ts';

/** One fault in both would be found by neither. */
describe('the recount shares nothing with what it checks', () => {
  const forbidden = [
    /^domain\/attention\//,
    /^db\/queries\/(notifiable|arming|attempts|episodes|stories|decisions)\.ts$/,
  ];

  function importsOf(file: string): string[] {
    const { program } = parseSync(file, readFileSync(path.join(root, file), 'utf8'));
    return readImports(program)
      .imports.filter(({ kind, specifier }) => kind === 'value' && specifier.startsWith('.'))
      .map(({ specifier }) => path.join(path.dirname(file), specifier));
  }

  function reached(from: string): Set<string> {
    const seen = new Set<string>();
    const open = [from];
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      open.push(...importsOf(file));
    }
    return seen;
  }

  it('by no path of imports', () => {
    const files = reached('domain/recount/index.ts');
    assert.ok(files.has('domain/recount/owed.ts') && files.has('db/queries/recount-messages.ts'));
    for (const file of files) assert.ok(!forbidden.some((pattern) => pattern.test(file)), file);
  });

  it('which would be noticed', () => {
    const files = [...reached('domain/attention/index.ts')];
    for (const pattern of forbidden) assert.ok(files.some((file) => pattern.test(file)));
  });
});
