import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between looks, for what tells nobody when it changes: a row, a visibility store. */
const lookMs = 50;

/** Looks until the answer is right; fails with the last one when time is up. */
export async function until<T>(look: () => Promise<T>, right: (answer: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await look();
    if (right(answer)) return answer;
    if (Date.now() > end) assert.fail(`it never came about; last: ${JSON.stringify(answer)}`);
    await sleep(lookMs);
  }
}
