import type { AuditEntry } from '../../contracts/entities/index.ts';
import type { MessageId, UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { type AuditRow, auditPage, insertAudit } from '../../db/queries/audit.ts';
import { commit } from '../commit.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Actor, Deps } from '../deps.ts';

/** Who looks or acts: somebody with a role, or an operator who stands at the command line and has the database anyway. */
export type By = Pick<Actor, 'userId'> | { operator: string };

/** What the system did by itself, for the safety of an account. */
export const bySystem: By = { operator: 'homing' };

/**
 * Writes down who looks at what of whom, in the transaction of the look: no look is answered that was not written down.
 * A look at what is not there is taken back with it, and has shown nothing.
 */
export async function audit(
  tx: Tx,
  deps: Pick<Deps, 'newId'>,
  by: By,
  { action, userId, messageId = null, jobId = null, change }: Audited,
): Promise<void> {
  const who = 'operator' in by ? { actorId: null, operator: by.operator } : { actorId: by.userId, operator: null };
  await insertAudit(tx, { id: deps.newId(), ...who, action, userId, messageId, jobId, ...columnsOf(change) });
}

const columnsOf = (change: Audited['change']) => ({ was: change?.from ?? null, became: change?.to ?? null });

interface Audited {
  action: AuditEntry['action'];
  userId: UserId | null;
  messageId?: MessageId | null;
  jobId?: string | null;
  change?: { from: string; to: string };
}

interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}
type AuditDeps = Pick<Deps, 'db' | 'newId' | 'mac' | 'publishLive'>;

/** The audit itself, the latest first. Reading it is a look, too, and is the first entry of the next page one. */
export async function listAudit(
  deps: AuditDeps,
  actor: Actor,
  { limit, cursor }: PageRequest,
): Promise<{ items: AuditEntry[]; nextCursor: string | null }> {
  const [before] = cursor === undefined ? [] : openCursor(deps, 'audit', cursor);
  const rows = await commit(deps, async (tx) => {
    const page = await auditPage(tx, { before, limit: limit + 1 });
    await audit(tx, deps, actor, { action: 'read_audit', userId: actor.userId });
    return { value: page };
  });
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { items: items.map(present), nextCursor: last ? sealCursor(deps, 'audit', [last.id]) : null };
}

const present = ({
  id,
  at,
  actorId,
  operator,
  action,
  userId,
  messageId,
  jobId,
  was,
  became,
}: AuditRow): AuditEntry => ({
  id,
  at: at.toISOString(),
  by: actorId === null ? { operator: operator ?? '' } : { userId: actorId },
  action,
  userId,
  messageId,
  jobId,
  change: was === null || became === null ? null : { from: was, to: became },
});
