import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mutants } from '../../scripts/mutants/index.ts';

const textOf = (file: string) => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');

/** `npm run mutate` takes half an hour; that each guard is still where it is looked for is told at once. */
describe('the guards that are taken away', () => {
  for (const { name, file, changes } of mutants)
    it(name, () => {
      let text = textOf(file);
      for (const [find, replace] of changes) {
        assert.equal(text.split(find).length - 1, 1, `in ${file} this stands once: ${find}`);
        text = text.replace(find, () => replace);
      }
    });
});
