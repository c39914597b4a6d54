import { type UnreadableReport, unreadableReportsAfter } from '../../db/queries/provider-reports.ts';
import { replayReports } from '../attention/index.ts';
import { commit } from '../commit.ts';
import type { Deps, ReportDoor } from '../deps.ts';
import { type By, audit } from '../audit/index.ts';

type UnreadableDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'log' | 'publishLive'>;

/** Reports of one page of the pile. */
const pageSize = 100;

/** What providers said that was not understood, the earliest first. It holds addresses: whoever looks is written down. */
export async function unreadableReports(
  deps: Pick<UnreadableDeps, 'db' | 'newId' | 'publishLive'>,
  by: By,
  after = 0,
): Promise<UnreadableReport[]> {
  return commit(deps, async (tx) => {
    await audit(tx, deps, by, { action: 'read_unreadable', userId: null });
    return { value: await unreadableReportsAfter(tx, { after, limit: pageSize }) };
  });
}

/** Reads the whole pile again, as the release that runs now reads; says how many it understood, and how many are left. */
export async function replayUnreadable(
  deps: UnreadableDeps,
  by: By,
  doors: readonly ReportDoor[],
): Promise<{ understood: number; left: number }> {
  await commit(deps, async (tx) => ({
    value: await audit(tx, deps, by, { action: 'replay_unreadable', userId: null }),
  }));
  const total = { understood: 0, left: 0 };
  for (let after = 0; ; ) {
    const page = await unreadableReportsAfter(deps.db, { after, limit: pageSize });
    const understood = await replayReports(deps, doors, page);
    total.understood += understood;
    total.left += page.length - understood;
    if (page.length < pageSize) return total;
    after = page.at(-1)?.id ?? after;
  }
}
