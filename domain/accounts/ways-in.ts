import type { UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { hasWayIn } from '../../db/queries/ways-in.ts';
import { DomainError } from '../errors.ts';

/** After a way in was taken away, in the same transaction: nobody locks themselves out. */
export async function insistOnWayIn(tx: Tx, userId: UserId): Promise<void> {
  if (!(await hasWayIn(tx, userId))) throw new DomainError('last_way_in');
}
