import { createHash } from 'node:crypto';
import { type ChainedRow, auditChain, auditEnd } from '../../db/queries/audit.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { type By, audit } from './audit.ts';

/** Entries that are read at once. */
const pageSize = 1_000;

/** The last entry: who keeps it elsewhere can see later that nothing up to it was taken away or written anew. */
export interface AuditHead {
  seq: number;
  hash: string;
}
type Verdict = { intact: true; head: AuditHead } | { intact: false; seq: number; why: string };

/**
 * Goes through the whole chain and says where it breaks first. It is counted here and not by the database's own function,
 * which whoever may change the rows may change as well. `kept` is a head from before. The end that the database has written
 * down itself is held against it, too: that shows who took the last entries away, and not who changed it along with them.
 */
export async function verifyAudit(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  by: By,
  kept?: AuditHead,
): Promise<Verdict> {
  // Before the entries: it moves on while they are read.
  const end = await headNow(deps);
  const verdict = await walk(
    deps,
    [kept, end].filter((each) => each !== undefined),
  );
  // Then no entry can follow, not even of this look.
  if (end === undefined) return verdict.intact ? { intact: false, seq: verdict.head.seq + 1, why: endless } : verdict;
  await commit(deps, async (tx) => ({ value: await audit(tx, deps, by, { action: 'verify_audit', userId: null }) }));
  return verdict;
}

const endless = 'where the audit ends is not written down any more (audit_end is empty), so nothing can follow';

/** The head as the database has it. Where the log is kept, it shows later what was changed after it was told. */
export async function logAuditHead(deps: Pick<Deps, 'db' | 'log'>): Promise<void> {
  const head = await headNow(deps);
  if (head) deps.log.info('audit head', { ...head });
  else deps.log.error('the audit is broken: where it ends is not written down any more; see homing audit verify');
}

async function headNow({ db }: Pick<Deps, 'db'>): Promise<AuditHead | undefined> {
  const end = await auditEnd(db);
  return end && { seq: end.seq, hash: end.hash.toString('hex') };
}

async function walk({ db }: Pick<Deps, 'db'>, kept: readonly AuditHead[]): Promise<Verdict> {
  let head: AuditHead = { seq: 0, hash: '' };
  for (;;) {
    const rows = await auditChain(db, head.seq, pageSize);
    for (const row of rows) {
      const why = faultOf(row, head, kept);
      if (why) return { intact: false, seq: head.seq + 1, why };
      head = { seq: row.seq, hash: row.hash.toString('hex') };
    }
    if (rows.length < pageSize) break;
  }
  const short = kept.some(({ seq }) => seq > head.seq);
  return short ? { intact: false, seq: head.seq + 1, why: 'it is missing, and all after it' } : { intact: true, head };
}

function faultOf(row: ChainedRow, before: AuditHead, kept: readonly AuditHead[]): string | undefined {
  if (row.seq !== before.seq + 1) return 'it is missing';
  if (!row.hash.equals(hashOf(row, before))) return 'it was changed, or what stood before it was';
  const isOther = kept.some(({ seq, hash }) => seq === row.seq && hash !== row.hash.toString('hex'));
  return isOther ? 'it is another one than was kept: it or what stood before it was written anew' : undefined;
}

/** Over what the entry says and the hash of the one before it. The text is that of PostgreSQL's `json_build_array`. */
function hashOf({ hash: _, ...row }: ChainedRow, before: AuditHead): Buffer {
  const { seq, id, atMicros, actorId, operator, action, userId, messageId, jobId, was, became } = row;
  const changed = was === null && became === null ? [] : [was, became];
  const said = [seq, id, atMicros, actorId, operator, action, userId, messageId, jobId, ...changed].map((part) =>
    JSON.stringify(part),
  );
  return createHash('sha256')
    .update(Buffer.from(before.hash, 'hex'))
    .update(`[${said.join(', ')}]`)
    .digest();
}
