import type { Factors } from '../../contracts/entities/index.ts';
import { factorsOf } from '../../db/queries/factors.ts';
import { passkeysOf } from '../../db/queries/passkeys.ts';
import type { Actor, Deps } from '../deps.ts';
import { present } from './passkeys.ts';

/** What the actor can prove themselves by, beside the password. */
export async function getFactors(deps: Pick<Deps, 'db'>, { userId }: Actor): Promise<Factors> {
  const [{ totp, recoveryCodes }, passkeys] = [await factorsOf(deps.db, userId), await passkeysOf(deps.db, userId)];
  return { totp, passkeys: passkeys.map(present), recoveryCodesLeft: recoveryCodes };
}
