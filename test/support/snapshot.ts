import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Compares with what a person has once read and found good. After a change that is meant, write them anew with
 * `UPDATE_SNAPSHOTS=1 npm test -- FILE`, and read the difference.
 */
export function expectSnapshot(name: string, actual: string): void {
  const file = new URL(`../snapshots/${name}.txt`, import.meta.url);
  if (process.env.UPDATE_SNAPSHOTS) return writeFileSync(file, actual);
  assert.equal(actual, readFileSync(file, 'utf8'), `other than test/snapshots/${name}.txt`);
}
