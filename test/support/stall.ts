import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that no input may hold the event loop: the bound that the promise names. */
const boundMs = 200;
const resolutionMs = 5;

/**
 * The longest time that this thread itself worked in one turn of the loop, which the server runs in, in milliseconds. A
 * machine with much else to do makes a turn long by the clock; it gives the thread no work, so it is not counted.
 */
export async function longestStall(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let before = process.threadCpuUsage();
  const look = () => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    longest = Math.max(longest, (user + system) / 1_000);
  };
  // A timer runs once in a turn at most, so what it finds was worked since the turn before.
  const turn = setInterval(look, resolutionMs);
  try {
    await work();
    // What was set off by the last input belongs to it.
    await sleep(4 * resolutionMs);
    look();
  } finally {
    clearInterval(turn);
  }
  return longest;
}

/** The work holds the loop for no longer than the bound. It is done once: a stall that shows itself is one. */
export async function expectNoStall(name: string, work: () => Promise<unknown>): Promise<void> {
  const stalled = await longestStall(work);
  assert.ok(stalled <= boundMs, `${name} held the event loop for ${Math.round(stalled)} ms of its own work`);
}
