import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Messages and stacks of failures are plain text in histories unless told otherwise. Loaded by path, in workers and in
 * the workflow bundle alike.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
