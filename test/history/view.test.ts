import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { SyncResponse } from '../../contracts/entities/index.ts';
import { fromSnapshot } from '../../sdk/reducer.ts';
import { makeLog, me, steps } from '../sdk/log.ts';
import { check } from './checker/index.ts';
import { View } from './clients/view.ts';
import { Recorder } from './recorder.ts';

describe('the plain client of a history', () => {
  it('comes to the fresh state of any log, whatever comes late, twice or not at all, and goes step by step', () => {
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.nat(100)), (program, chances) => {
        const log = makeLog(program);
        const recorder = new Recorder();
        const view = new View('device', me, recorder);
        const { id } = log.snapshot(1).conversation;
        const chance = () => chances.next().value ?? 0;
        for (let version = 1; version <= log.version; version += 1) {
          const heard = 1 + (chance() % version);
          view.hear(log.entry(heard, heard));
          if (chance() < 60) view.hear(log.entry(version, version));
          if (chance() < 5) view.take(answer(1 + (chance() % version)));
        }
        view.take(answer(log.version));
        assert.deepEqual(view.behind, []);
        assert.deepEqual(view.conversations.get(id)?.version, log.version);
        assert.deepEqual(view.conversations.get(id)?.messages, fromSnapshot(log.snapshot(log.version)).messages);
        assert.deepEqual(check(recorder.take()), []);

        function answer(version: number): SyncResponse {
          const change = {
            conversationId: id,
            version,
            how: 'snapshot' as const,
            events: [],
            state: log.snapshot(version),
          };
          return { changes: [change], standings: [], receipts: [], cursor: null };
        }
      }),
      { numRuns: 300 },
    );
  });
});
