import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that no input may hold the event loop: the bound that the promise names. */
const boundMs = 200;
const resolutionMs = 5;
/** Times that a stall must show itself before it is believed. */
const tries = 3;

/**
 * The longest time that the loop of this process, which the server runs in, was held meanwhile: by the clock, and by what
 * this thread itself worked in one turn. A machine with much else to do makes the first long, and never the second.
 */
async function longestStall(work: () => Promise<unknown>): Promise<{ clock: number; own: number }> {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  let own = 0;
  let before = process.threadCpuUsage();
  const turn = setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    own = Math.max(own, (user + system) / 1_000);
  }, resolutionMs);
  histogram.enable();
  await work();
  // What was set off by the last input belongs to it.
  await sleep(4 * resolutionMs);
  histogram.disable();
  clearInterval(turn);
  return { clock: Math.max(0, histogram.max / 1e6 - resolutionMs), own };
}

/** The work holds the loop for no longer than the bound, beyond what the loop does when nothing is asked of it. */
export async function expectNoStall(name: string, work: () => Promise<unknown>): Promise<void> {
  const stalls: number[] = [];
  for (let tried = 0; tried < tries; tried += 1) {
    const idle = await longestStall(() => sleep(100));
    const held = await longestStall(work);
    stalls.push(Math.min(held.clock - idle.clock, held.own));
    if ((stalls.at(-1) ?? 0) <= boundMs) return;
  }
  assert.fail(`${name} held the event loop for ${stalls.map((ms) => Math.round(ms)).join(', ')} ms, each time`);
}
