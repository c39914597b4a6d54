import assert from 'node:assert/strict';
import { createLane, createLanes } from '../../domain/lane.ts';

/** A lane over a runner that is let go by hand, and the batches that it was given. */
function laneByHand(
  options: Partial<
    Pick<Parameters<typeof createLane<string, string>>[0], 'maxBatch' | 'maxWaiting' | 'keyOf' | 'merge' | 'gatherMs'>
  > = {},
) {
  const batches: string[][] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const lane = createLane<string, string>({
    maxBatch: 100,
    maxWaiting: 100,
    onOverflow: () => new Error('full'),
    ...options,
    async run(batch) {
      batches.push(batch);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return batch.map((item) => (item.startsWith('bad') ? new Error(item) : item.toUpperCase()));
    },
  });
  const letGo = async () => {
    while (gates.length === 0) await new Promise(setImmediate);
    gates.shift()?.resolve();
  };
  return { lane, batches, letGo };
}

describe('a lane', () => {
  it('runs what came in one turn together, and gathers the rest meanwhile', async () => {
    const { lane, batches, letGo } = laneByHand();
    const first = [lane.push('a'), lane.push('b')];
    await letGo();
    const second = [lane.push('c'), lane.push('d')];
    assert.deepEqual(await Promise.all(first), ['A', 'B']);
    await letGo();
    assert.deepEqual(await Promise.all(second), ['C', 'D']);
    assert.deepEqual(batches, [
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('keeps a batch to its size and the order of coming', async () => {
    const { lane, batches, letGo } = laneByHand({ maxBatch: 2 });
    const all = ['a', 'b', 'c'].map((item) => lane.push(item));
    await letGo();
    await letGo();
    assert.deepEqual(await Promise.all(all), ['A', 'B', 'C']);
    assert.deepEqual(batches, [['a', 'b'], ['c']]);
  });

  it('rejects one item of a batch and no other', async () => {
    const { lane, letGo } = laneByHand();
    const [good, bad] = [lane.push('good'), lane.push('bad')];
    const rejected = assert.rejects(bad, /bad/);
    await letGo();
    assert.equal(await good, 'GOOD');
    await rejected;
  });

  it('never puts two items with one key in a batch, nor lets a later one of them pass', async () => {
    const { lane, batches, letGo } = laneByHand({ keyOf: (item) => item[0] ?? '' });
    const all = ['a1', 'a2', 'b1', 'a3'].map((item) => lane.push(item));
    for (let n = 0; n < 3; n += 1) await letGo();
    await Promise.all(all);
    assert.deepEqual(batches, [['a1', 'b1'], ['a2'], ['a3']]);
  });

  it('merges what waits under one key, and gives its result to everybody who asked', async () => {
    const merge = (earlier: string, later: string) => (later > earlier ? later : earlier);
    const { lane, batches, letGo } = laneByHand({ keyOf: (item) => item[0] ?? '', merge, maxWaiting: 2 });
    const all = ['a1', 'b1', 'a3', 'a2'].map((item) => lane.push(item));
    await letGo();
    assert.deepEqual(await Promise.all(all), ['A3', 'B1', 'A3', 'A3']);
    assert.deepEqual(batches, [['a3', 'b1']]);
    const later = lane.push('a1');
    await letGo();
    assert.equal(await later, 'A1', 'what has run is no longer merged into');
  });

  it('waits for more where it is asked to', async () => {
    const { lane, batches, letGo } = laneByHand({ gatherMs: 20 });
    const first = lane.push('a');
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const second = lane.push('b');
    await letGo();
    await Promise.all([first, second]);
    assert.deepEqual(batches, [['a', 'b']]);
  });

  it('refuses one more than may wait', async () => {
    const { lane, letGo } = laneByHand({ maxWaiting: 2 });
    const waiting = [lane.push('a'), lane.push('b')];
    await assert.rejects(lane.push('c'), /full/);
    await letGo();
    await Promise.all(waiting);
  });

  it('is idle once nothing waits or runs', async () => {
    const { lane, letGo } = laneByHand();
    await lane.idle();
    const pushed = lane.push('a');
    let idle = false;
    const waited = lane.idle().then(() => {
      idle = true;
    });
    assert.equal(idle, false);
    await letGo();
    await Promise.all([pushed, waited]);
    assert.equal(idle, true);
  });
});

describe('lanes side by side', () => {
  it('keep what has one place in the order of coming, and let nothing of another wait for it', async () => {
    const begun: string[] = [];
    const gates = new Map<string, () => void>();
    const lanes = createLanes<string, string>(2, (item) => item.charCodeAt(0), {
      ...{ maxBatch: 1, maxWaiting: 10, onOverflow: () => new Error('full') },
      async run([item = '']) {
        begun.push(item);
        await new Promise<void>((resolve) => gates.set(item, resolve));
        return [item];
      },
    });
    // One of these shares no lane with a: there are two lanes.
    const others = ['b1', 'c1', 'd1', 'e1', 'f1'];
    const pushed = ['a1', 'a2', ...others].map((item) => lanes.push(item));
    while (begun.length < 2) await new Promise(setImmediate);
    assert.deepEqual([begun.includes('a1'), begun.includes('a2')], [true, false]);
    assert.equal(lanes.waiting, pushed.length - 2);
    const letAllGo = setInterval(() => gates.forEach((open) => open()), 1);
    await Promise.all([...pushed, lanes.idle()]);
    clearInterval(letAllGo);
    assert.ok(begun.indexOf('a1') < begun.indexOf('a2'));
  });

  it('refuse one more than may wait in all of them together', async () => {
    const gates: (() => void)[] = [];
    const lanes = createLanes<string, string>(2, (item) => item.charCodeAt(0), {
      ...{ maxBatch: 1, maxWaiting: 2, onOverflow: () => new Error('full') },
      async run([item = '']) {
        await new Promise<void>((resolve) => gates.push(resolve));
        return [item];
      },
    });
    const under = [lanes.push('a'), lanes.push('b')];
    while (gates.length < 2) await new Promise(setImmediate);
    const waiting = [lanes.push('c'), lanes.push('d')];
    await assert.rejects(lanes.push('e'), /full/);
    const letAllGo = setInterval(() => gates.forEach((open) => open()), 1);
    await Promise.all([...under, ...waiting]);
    clearInterval(letAllGo);
  });
});
