import assert from 'node:assert/strict';
import { createReadiness } from '../../platform/health.ts';

describe('readiness', () => {
  it('is one look for all who ask at the same time', async () => {
    let looks = 0;
    const check = async () => void (looks += 1);
    const ready = createReadiness([{ name: 'store', needed: true, check }], () => false);
    const answers = await Promise.all(Array.from({ length: 100 }, () => ready()));
    assert.ok(answers.every((answer) => answer.ready));
    assert.equal(looks, 1);
  });

  it('is refused as soon as the process stops, whatever was answered before', async () => {
    let stopping = false;
    const ready = createReadiness([], () => stopping);
    assert.equal((await ready()).ready, true);
    stopping = true;
    assert.equal((await ready()).ready, false);
  });

  it('names what is down, and needs only what is needed', async () => {
    const down = () => Promise.reject(new Error('away'));
    const hint = createReadiness([{ name: 'hint', needed: false, check: down }], () => false);
    assert.deepEqual(await hint(), { ready: true, dependencies: [{ name: 'hint', needed: false, state: 'down' }] });
    const truth = createReadiness([{ name: 'truth', needed: true, check: down }], () => false);
    assert.equal((await truth()).ready, false);
  });
});
