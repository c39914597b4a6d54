import { forgetAttention } from '../../db/queries/retention.ts';
import type { Deps } from '../deps.ts';

/** Rows of a kind that are deleted at once: what is asked meanwhile hardly waits. */
const forgetBatch = 500;

/** Forgets what was decided and sent so long ago that nobody is promised an answer any more. */
export const forgetPast = ({ db }: Pick<Deps, 'db'>): Promise<number> => forgetAttention(db, forgetBatch);
