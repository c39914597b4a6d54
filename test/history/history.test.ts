import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../dev/services/index.ts';
import { check } from './checker/index.ts';
import { faultNames } from './faults.ts';
import { plants } from './plants/index.ts';
import { createRandom } from './random.ts';
import { writeHistory } from './recorder.ts';
import { playRound } from './round.ts';
import { type Stage, openStage } from './stage.ts';
import { count, table } from './summary.ts';

/** Acked sends of the small run; the large one is `npm run chaos`. */
const smallRun = 20_000;
/** Acked sends of the run in which violations are planted. */
const plantedRun = 400;
const seed = 20_261_124;

/** Where logs go, and the history of a run in which something was found. */
const folder = join(root, '.homing', 'history');

describe('a history of two nodes, of clients that write, change, come and go', () => {
  let stage: Stage;
  before(async function () {
    this.timeout(60_000);
    await mkdir(folder, { recursive: true });
    stage = await openStage(folder);
  });
  after(() => stage?.close());

  const report = () => undefined;

  it('keeps every promise without faults, and the checker finds what is planted in it', async () => {
    const { records } = await playRound(stage, { round: 0, seed, sends: plantedRun, faults: [], report });
    assert.deepEqual(check(records), []);
    let placed = 0;
    for (const [name, { found, plant }] of Object.entries(plants)) {
      const planted = plant(records, createRandom(seed));
      const names = new Set(planted && check(planted).map((finding) => finding.name));
      assert.ok(!planted || names.has(found), `${name}: found ${[...names].join(', ') || 'nothing'}`);
      placed += planted ? 1 : 0;
    }
    const all = Object.keys(plants).length;
    // One history need not have a place for everything; the checker's own test has one for each.
    assert.ok(placed >= 0.8 * all, `${placed} of ${all} could be planted`);
  }).timeout(180_000);

  it('keeps every promise while nodes, PostgreSQL, Redis, sockets and live events fail', async () => {
    const { records } = await playRound(stage, { round: 1, seed, sends: smallRun, report });
    const findings = check(records);
    const counts = count(records, findings);
    if (findings.length > 0) await writeHistory(join(folder, 'found.ndjson'), records);
    assert.deepEqual(findings.slice(0, 10), [], table(counts));
    assert.ok(counts.acked >= smallRun, table(counts));
    assert.deepEqual(Object.keys(counts.faults).sort(), [...faultNames].sort(), 'every fault has struck');
    const unknown = Object.values(counts.attempts).reduce((all, outcomes) => all + outcomes.unknown, 0);
    assert.ok(unknown > 0 && counts.dropped > 0, `the faults were real\n${table(counts)}`);
  }).timeout(300_000);
});
