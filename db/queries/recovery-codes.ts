import type { UserId } from '../../contracts/ids.ts';
import type { Tx } from '../client.ts';

/** These codes take the place of all that there were; with none, there are none. */
export async function replaceRecoveryCodes(tx: Tx, userId: UserId, hashes: readonly Buffer[]): Promise<void> {
  await tx.query({
    name: 'delete-recovery-codes',
    text: 'delete from recovery_codes where user_id = $1',
    values: [userId],
  });
  await tx.query({
    name: 'insert-recovery-codes',
    text: 'insert into recovery_codes (user_id, code_hash) select $1, unnest($2::bytea[])',
    values: [userId, hashes],
  });
}

/** Uses a code up; false where there is none such, or it was used before. */
export async function spendRecoveryCode(tx: Tx, userId: UserId, hash: Buffer, at: Date): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'spend-recovery-code',
    text: 'update recovery_codes set used_at = $3 where user_id = $1 and code_hash = $2 and used_at is null',
    values: [userId, hash, at],
  });
  return rowCount === 1;
}
