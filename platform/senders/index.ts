import type { Senders } from '../../domain/deps.ts';
import type { Config } from '../config.ts';
import { createEmailSender } from './email.ts';
import { createPushSender } from './push.ts';
import { createSmsStatus } from './sms-status.ts';
import { type SmsOptions, createSmsSender } from './sms.ts';
import { statusCallbackUrl } from '../webhooks/index.ts';

/** The three senders, over the providers' official SDKs. */
export function createSenders(config: Config): Senders {
  const sms: SmsOptions = {
    accountSid: config.TWILIO_ACCOUNT_SID,
    authToken: config.TWILIO_AUTH_TOKEN,
    messagingServiceSid: config.TWILIO_MESSAGING_SERVICE_SID,
    baseUrl: config.TWILIO_BASE_URL,
    statusCallbackUrl: statusCallbackUrl(config),
  };
  return {
    push: createPushSender({
      projectId: config.FCM_PROJECT_ID,
      credentialsFile: config.GOOGLE_APPLICATION_CREDENTIALS,
      baseUrl: config.FCM_BASE_URL,
    }),
    email: createEmailSender({
      apiKey: config.SENDGRID_API_KEY,
      from: { email: config.HOMING_EMAIL_FROM, name: 'Homing' },
      baseUrl: config.SENDGRID_BASE_URL,
    }),
    sms: { ...createSmsSender(sms), status: createSmsStatus(sms) },
  };
}
