import type { Registration } from '../../contracts/rest/auth.ts';
import { isUniqueViolation } from '../../db/errors.ts';
import { usersByIdentifier } from '../../db/queries/users.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';

const taken = (path: string, cause?: unknown) => {
  const fault = { path, code: 'taken', message: 'belongs to another account; sign in, or use another one' };
  return new DomainError('identifier_taken', { errors: [fault], cause });
};

/** Turns the table's refusal of what another account has proved into ours, naming the field. */
export async function refusingTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const path of ['email', 'phone']) if (isUniqueViolation(error, `users_${path}_key`)) throw taken(path, error);
    throw error;
  }
}

/** For operators, who may know: refuses a contact that any account names. Who signs up is never told. */
export async function refuseTaken({ db }: Pick<Deps, 'db'>, { email, phone }: Registration): Promise<void> {
  if (email && (await usersByIdentifier(db, email, 1)).length > 0) throw taken('email');
  if (phone && (await usersByIdentifier(db, phone, 1)).length > 0) throw taken('phone');
}
