import { ApplicationFailure } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { ProviderFailing, toDomainError } from '../domain/errors.ts';

/**
 * A thrown thing as a failure of the activity. It carries a class and a code and nothing else: a library's message may
 * quote what it was given, and histories are kept.
 */
export function toFailure(thrown: unknown): ApplicationFailure {
  if (thrown instanceof ProviderFailing) {
    return ApplicationFailure.create({
      type: 'ProviderFailing',
      message: thrown.code,
      // The provider's own wish, where it has one, instead of our back-off.
      ...(thrown.retryAfterMs === undefined ? {} : { nextRetryDelay: thrown.retryAfterMs }),
      category: ApplicationFailureCategory.BENIGN,
    });
  }
  const { code } = toDomainError(thrown);
  return ApplicationFailure.create({ type: code, message: code });
}
