import type { UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { type RecountedAttempt, attemptsBetweenIds, recountAttempts } from '../../db/queries/recount-attempts.ts';
import { type Found, type Look, type Walk, before, idAt, noDifference, timeOf } from './walk.ts';

/** Milliseconds back in which another attempt may have told of the same: no episode lasts longer. */
const repeatsWithinMs = 8 * 86_400_000;

/** Looks at every attempt once it is so old. `ends`: by then it has an outcome of its own, too. */
export const attemptWalk = (name: string, ageMs: number, { ends }: { ends: boolean }): Walk => {
  const judge = async (tx: Tx, attempts: readonly { id: string; userId: UserId }[]) => {
    const rows = await recountAttempts(tx, attempts.map(withSince));
    const differences = rows.flatMap((row) => faultsOf(row, ends));
    return { agreed: rows.length - new Set(differences.map(({ attemptId }) => attemptId)).size, differences };
  };
  return {
    name,
    ageMs,
    kinds: ends ? ['attempt_open'] : ['announced_twice', 'not_owed'],
    start: idAt,
    async look(tx, { cursor }, { now, size }): Promise<Look> {
      const page = { after: cursor, before: idAt(before(now, ageMs)), limit: size };
      const attempts = await attemptsBetweenIds(tx, page);
      const next = attempts.at(-1)?.id ?? cursor;
      const more = attempts.length === size;
      const through = more ? timeOf(next) : before(now, ageMs);
      return { looked: attempts.length, excused: 0, ...(await judge(tx, attempts)), cursor: next, through, more };
    },
    async again(tx, differences) {
      const ids = differences.flatMap(({ userId, attemptId }) => (attemptId ? [{ userId, id: attemptId }] : []));
      return (await judge(tx, ids)).differences;
    },
  };
};

const withSince = ({ id, userId }: { id: string; userId: UserId }) => ({
  ...{ id, userId },
  since: idAt(before(timeOf(id), repeatsWithinMs)),
  decidedAt: timeOf(id),
});

function faultsOf({ id, userId, episode, open, owed, repeats }: RecountedAttempt, ends: boolean): Found[] {
  const kinds: readonly (readonly [Found['kind'], boolean])[] = ends
    ? [['attempt_open', open]]
    : [
        ['not_owed', !owed],
        ['announced_twice', repeats],
      ];
  return kinds.flatMap(([kind, is]) => (is ? [{ ...noDifference, kind, userId, episode, attemptId: id }] : []));
}
