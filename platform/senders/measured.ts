import { SegmentedMessage } from 'sms-segments-calculator';
import type { SendOutcome, Senders } from '../../domain/deps.ts';
import type { Metrics } from '../metrics.ts';
import type { Provider } from './outcome.ts';

/** The senders, each call timed and counted by what came of it. */
export function measureSenders(senders: Senders, metrics: Metrics): Senders {
  const measure = async (provider: Provider, call: () => Promise<SendOutcome>) => {
    const end = metrics.providerCalls.startTimer({ provider });
    const outcome = await call();
    end({ class: outcome.class });
    return outcome;
  };
  return {
    push: { ...senders.push, send: (message) => measure('fcm', () => senders.push.send(message)) },
    email: { send: (message) => measure('sendgrid', () => senders.email.send(message)) },
    sms: {
      ...senders.sms,
      async send(message) {
        const outcome = await measure('twilio', () => senders.sms.send(message));
        if (outcome.class === 'ok') countSegments(message.body, metrics);
        return outcome;
      },
    },
  };
}

function countSegments(body: string, { smsSegments }: Metrics): void {
  const { segmentsCount, encodingName } = new SegmentedMessage(body);
  smsSegments.inc({ encoding: encodingName }, segmentsCount);
}
