import { z } from 'zod';
import { UserId } from '../ids.ts';

/** Input of `sendVerification`: which request for a code. The code itself never enters a history. */
export const SendVerificationInput = z.strictObject({
  userId: UserId,
  verificationId: z.uuid(),
  channel: z.enum(['email', 'sms']),
});
export type SendVerificationInput = z.infer<typeof SendVerificationInput>;
export type SendVerificationOutcome = 'sent' | 'superseded' | 'undeliverable';
