import { isUniqueViolation } from '../../db/errors.ts';
import { DomainError } from '../errors.ts';

/** Turns the table's refusal of a second account with the same identifier into ours, naming the field. */
export async function refusingTaken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const path of ['email', 'phone']) {
      if (!isUniqueViolation(error, `users_${path}_key`)) continue;
      const fault = { path, code: 'taken', message: 'belongs to another account; sign in, or use another one' };
      throw new DomainError('identifier_taken', { errors: [fault], cause: error });
    }
    throw error;
  }
}
