import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type { SendVerificationInput, SendVerificationOutcome } from '../contracts/workflows/send-verification.ts';
import { external } from './lib/activities.ts';

/** A code is good for ten minutes; after that it is not worth sending. */
const patience = { firstMs: 2_000, maxMs: 60_000, giveUpMs: 600_000, heartbeatMs: 20_000 };

/** Somebody gave an address or a number and waits for the code that proves it theirs. */
export async function sendVerification(input: SendVerificationInput): Promise<SendVerificationOutcome> {
  try {
    return await external(input.channel, { patience, urgency: 'urgent', summary: `code by ${input.channel}` }).sendCode(
      input,
    );
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return 'undeliverable';
  }
}
