import { readConfig } from '../../platform/config.ts';
import { createRuntime } from '../../runtime.ts';
import { serve } from '../lib/child.ts';
import { event } from './event.ts';

/** The product's own way of telling live events to other nodes, in a process that has no sockets: as the relay does it. */
const { deps } = await createRuntime(readConfig(), ['relay']);

const calls = {
  /** Tells so many events a second, for so long; answers with how many. */
  async emit({ perSecond, seconds }: { perSecond: number; seconds: number }): Promise<number> {
    const began = performance.now();
    let done = 0;
    while (performance.now() - began < seconds * 1_000) {
      const due = Math.floor(((performance.now() - began) / 1_000) * perSecond);
      for (; done < due; done += 1) tell();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return done;
  },
};
export type Teller = typeof calls;

function tell(): void {
  const told = event('x'.repeat(120));
  // A membership that every node knows: nobody is asked who the members are.
  deps.publishLive([{ type: 'conversation.event', event: told, memberVersion: 0, messageSeq: told.version }]);
}
serve(calls);
