import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Io } from './io.ts';

export const admissionLimits = {
  /** People who are greeted at once: more would only wait for the connections of the pool, and make everybody's reads wait. */
  greetings: 16,
  /** Milliseconds of one turn of the event loop for beginning connections; the rest waits for the next. */
  turnMs: 5,
  /** Connections that may wait to begin; one more is closed, and its client comes back later. */
  waiting: 20_000,
};

type Upgrade = [request: IncomingMessage, socket: Duplex, head: Buffer];

export interface Admission {
  /** Somebody whose token was verified is being greeted, until what this answers with is called or the connection ends. */
  greeting(conn: Pick<EventEmitter, 'once' | 'off'>): () => void;
}

/**
 * Lets connections begin no faster than people can be greeted. When thousands come back at once, each costs a handshake and
 * a few statements; those who are here already would stand in the same queue. What waits here has cost one parsed request.
 * Only verified people count as being greeted: whoever opens connections and says nothing holds up nobody.
 */
export function admitSlowly(io: Io): Admission {
  const queue: Upgrade[] = [];
  const begin = io.engine.handleUpgrade.bind(io.engine) as (...upgrade: Upgrade) => void;
  let greetings = 0;
  let scheduled = false;

  const pump = () => {
    scheduled = false;
    const until = performance.now() + admissionLimits.turnMs;
    while (queue.length > 0 && greetings < admissionLimits.greetings && performance.now() < until) {
      const upgrade = queue.shift() as Upgrade;
      if (!upgrade[1].destroyed) begin(...upgrade);
    }
    if (queue.length > 0 && greetings < admissionLimits.greetings) schedule();
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(pump);
  };

  io.engine.handleUpgrade = (...upgrade: Upgrade) => {
    if (queue.length >= admissionLimits.waiting) return void upgrade[1].destroy();
    // Nobody listens to it while it waits, and a connection that breaks must not end the process.
    upgrade[1].on('error', ignore);
    queue.push(upgrade);
    schedule();
  };

  return {
    greeting(conn) {
      greetings += 1;
      let over = false;
      const end = () => {
        if (over) return;
        over = true;
        greetings -= 1;
        conn.off('close', end);
        schedule();
      };
      conn.once('close', end);
      return end;
    },
  };
}

const ignore = () => undefined;
