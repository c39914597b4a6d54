import assert from 'node:assert/strict';
import pg from 'pg';
import type { TestApp } from '../setup/app.ts';
import { until } from './until.ts';

/** Lets calls meet at one row, which is held until all of them wait for it. */
export interface Meeting {
  /** `held` locks the row of `id`; the calls wait in their order, and the first in the queue goes first. */
  meet<Met>(held: string, id: string, calls: readonly (() => Promise<Met>)[]): Promise<Met[]>;
  close(): Promise<void>;
}

export async function openMeeting({ database }: TestApp): Promise<Meeting> {
  const holder = new pg.Client(database.adminUrl);
  await holder.connect();
  const holderPid = (await holder.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;

  /** Who waits for the holder, and for who waits for it; but for the node, which notes who is seen and waits as well. */
  const waiters = async (): Promise<number> => {
    const { rows } = await database.run(
      `with recursive chain as (
        select ${holderPid}::int as pid
        union select a.pid from pg_stat_activity a join chain c on c.pid = any(pg_blocking_pids(a.pid))
      ) select count(*)::int as n from chain join pg_stat_activity using (pid)
        where pid <> ${holderPid} and query not like '%set last_seen_at%'`,
    );
    return (rows[0] as { n: number }).n;
  };

  return {
    async meet(held, id, calls) {
      await holder.query('begin');
      await holder.query(held, [id]);
      const under: ReturnType<(typeof calls)[number]>[] = [];
      try {
        for (const start of calls) {
          const call = start();
          under.push(call);
          const early = call.then((met) => assert.fail(`it did not wait: ${JSON.stringify(met)}`));
          await Promise.race([until(waiters, (count) => count >= under.length), early]);
        }
      } finally {
        await holder.query('commit');
      }
      return Promise.all(under);
    },
    close: () => holder.end(),
  };
}
