import { recountState } from '../../domain/recount/index.ts';
import { recountNow } from '../../domain/support/index.ts';
import type { Deps } from '../../domain/deps.ts';

/** Goes on with the recount to the end of what it may look at; answers with the differences that there are, by kind. */
export async function recount(deps: Pick<Deps, 'db' | 'now' | 'meter' | 'log'>): Promise<Record<string, number>> {
  await recountNow(deps);
  const { differences } = await recountState(deps);
  return Object.fromEntries(Object.entries(differences).filter(([, count]) => count > 0));
}
