import type { Reconciliation } from '../../contracts/entities/index.ts';
import { rearmForgotten } from '../../db/queries/differences.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { type RecountDeps, createRecount, reconciliation } from '../recount/index.ts';
import { type By, audit } from '../audit/index.ts';

type ReconcileDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'publishLive'>;

/** What the recount has come to. It names people, so whoever looks is written down. */
export async function reconcile(
  deps: ReconcileDeps,
  by: By,
  page: { limit: number; cursor?: string | undefined },
): Promise<Reconciliation> {
  await commit(deps, async (tx) => ({ value: await audit(tx, deps, by, { action: 'reconcile', userId: null }) }));
  return reconciliation(deps, page);
}

/** Goes on with the recount, here and now, until there is nothing more to look at; answers with how much was looked at. */
export async function recountNow(deps: RecountDeps): Promise<number> {
  const round = createRecount(deps);
  let all = 0;
  for (let looked = await round(); looked > 0; looked = await round()) all += looked;
  return all;
}

/**
 * Has the relay arm again whom it forgot. Who was told meanwhile is not told twice: what a channel has announced it does not
 * announce again. Answers with how many messages that is.
 */
export async function rearm(deps: Omit<ReconcileDeps, 'mac' | 'now'>, by: By): Promise<number> {
  return commit(deps, async (tx) => {
    const armed = await rearmForgotten(tx);
    await audit(tx, deps, by, { action: 'rearm', userId: null });
    return { value: armed };
  });
}
