import type { UserId } from '../contracts/ids.ts';
import type { Log } from '../domain/deps.ts';

/** What there is to say of a refusal: closed words and an id. What was refused may hold anything, and is never said. */
interface Refusal {
  code: string;
  /** Where it is known who asked. */
  userId?: UserId;
  event?: string;
  operation?: string | undefined;
  factor?: string | undefined;
}
export type TellRefusal = (message: string, refusal: Refusal) => void;

/** Lines a second at most, of all in this process, of one person in it, and of those of whom it is not known who they are. */
export const refusalLines = { all: 200, one: 20, nobody: 50 };

/**
 * A line for each refusal at a socket, as REST has one for each request. A socket is refused more cheaply and more often
 * than a request, so there is an end to the lines, for each by themselves: a flood must hide nobody else's, least of all one that anybody can make. How many were
 * left out is said.
 */
export function tellRefusals(log: Log): TellRefusal {
  const written = new Map<UserId | undefined, number>();
  const counts = { all: 0, leftOut: 0 };
  let second: NodeJS.Timeout | undefined;
  const end = () => {
    if (counts.leftOut > 0) log.warn('refusals were left out', { count: counts.leftOut });
    written.clear();
    Object.assign(counts, { all: 0, leftOut: 0 });
    second = undefined;
  };
  return (message, refusal) => {
    second ??= setTimeout(end, 1_000).unref();
    const ofOne = written.get(refusal.userId) ?? 0;
    const most = refusal.userId === undefined ? refusalLines.nobody : refusalLines.one;
    if (counts.all >= refusalLines.all || ofOne >= most) return void (counts.leftOut += 1);
    written.set(refusal.userId, ofOne + 1);
    counts.all += 1;
    log.info(message, { ...refusal });
  };
}
