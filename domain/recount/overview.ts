import { type Reconciliation, differenceKinds } from '../../contracts/entities/index.ts';
import { countDifferences, differencesAfter, walkPlaces } from '../../db/queries/differences.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Deps } from '../deps.ts';
import { ageOfWalk } from './walks.ts';

type OverviewDeps = Pick<Deps, 'db' | 'now' | 'mac'>;

/** How far the recount has come, what does not agree, and a page of that. */
export async function reconciliation(
  deps: OverviewDeps,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Reconciliation> {
  const [after] = cursor === undefined ? [] : openCursor(deps, 'differences', cursor);
  const rows = await differencesAfter(deps.db, { after: Number(after ?? 0), limit: limit + 1 });
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return {
    ...(await recountState(deps)),
    items: items.map(({ id: _, foundAt, ...item }) => ({
      ...(item as Reconciliation['items'][number]),
      foundAt: foundAt.toISOString(),
    })),
    nextCursor: last ? sealCursor(deps, 'differences', [String(last.id)]) : null,
  };
}

/** Without the differences themselves: what is measured. */
export async function recountState({
  db,
  now,
}: Pick<Deps, 'db' | 'now'>): Promise<Pick<Reconciliation, 'differences' | 'walks'>> {
  const counted = new Map((await countDifferences(db)).map(({ kind, count }) => [kind, count]));
  const places = await walkPlaces(db);
  return {
    differences: Object.fromEntries(
      differenceKinds.map((kind) => [kind, counted.get(kind) ?? 0]),
    ) as Reconciliation['differences'],
    walks: places.map(({ name, through }) => ({
      ...{ name, through: through.toISOString() },
      behindSeconds: Math.max(0, (now().getTime() - through.getTime() - ageOfWalk(name)) / 1_000),
    })),
  };
}
