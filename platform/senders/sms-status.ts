import type { Senders } from '../../domain/deps.ts';
import { fromStatus } from '../webhooks/twilio.ts';
import { type Messages, type SmsOptions, openTwilio } from './sms.ts';

/** Asks Twilio what became of a text: the answer is the report that its callback would have been, under the same key. */
export function createSmsStatus(options: SmsOptions): Senders['sms']['status'] {
  let messages: Promise<Messages> | undefined;
  return async (providerId, attemptId) => {
    try {
      messages ??= openTwilio(options);
      const { sid, status, to, errorCode } = await (await messages)(providerId).fetch();
      const code = errorCode === null ? {} : { ErrorCode: String(errorCode) };
      return fromStatus({ MessageSid: sid, MessageStatus: status, To: to, ...code }, attemptId);
    } catch (error) {
      return (error as { status?: number }).status === 404 ? null : undefined;
    }
  };
}
