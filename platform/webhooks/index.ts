import type { ReportDoor } from '../../domain/deps.ts';
import type { Config } from '../config.ts';
import { sendGridEvents } from './sendgrid.ts';
import { twilioReports } from './twilio.ts';

const twilioStatusPath = '/v1/providers/twilio/events';

/** What each path of ours is reported to. */
export function createReportDoors(config: Config): Record<string, ReportDoor> {
  const { TWILIO_AUTH_TOKEN: primary, TWILIO_AUTH_TOKEN_SECONDARY: secondary } = config;
  const authTokens = secondary === undefined ? [primary] : [primary, secondary];
  const twilio = twilioReports({ authTokens, publicUrl: config.HOMING_PUBLIC_URL });
  return {
    '/v1/providers/sendgrid/events': sendGridEvents(config.SENDGRID_WEBHOOK_KEYS),
    [twilioStatusPath]: twilio,
    '/v1/providers/twilio/inbound': twilio,
  };
}

/** Where Twilio tells what became of a text. Twilio itself refuses a text that names an address it cannot reach. */
export function statusCallbackUrl(config: Config): string | undefined {
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(config.HOMING_PUBLIC_URL).hostname);
  return isLocal && !config.TWILIO_BASE_URL ? undefined : `${config.HOMING_PUBLIC_URL}${twilioStatusPath}`;
}
