import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('docs/promises.md', () => {
  const cited = [...textOf('docs/promises.md').matchAll(/(test\/[\w/-]+\.test\.ts) «([^»]+)»/g)];

  it('has P1 to P16, those of who may what, and I1 to I10, each with a test', () => {
    const rows = textOf('docs/promises.md').split('\n');
    const named = [
      ...Array.from({ length: 16 }, (_, n) => `P${n + 1}`),
      ...['P25', 'P26', 'P28', 'P29', 'P30'],
      ...Array.from({ length: 10 }, (_, n) => `I${n + 1}`),
    ];
    for (const name of named) {
      const row = rows.find((line) => line.startsWith(`| ${name} |`)) ?? '';
      assert.match(row, /test\/[\w/-]+\.test\.ts «|the same history/, name);
    }
  });

  for (const [, file = '', title = ''] of cited)
    it(`names a test that is there: ${title}`, () => {
      assert.ok(textOf(file).includes(title), `${file} has no test «${title}»`);
    });
});
