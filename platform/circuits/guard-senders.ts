import type { Circuits, Senders } from '../../domain/deps.ts';

/** The senders, whose every outcome is heeded: what comes back is what is to be believed of it. */
export function guardSenders({ push, email, sms }: Senders, circuits: Pick<Circuits, 'heed'>): Senders {
  return {
    push: {
      send: async (message) => circuits.heed(`fcm:${message.platform}`, await push.send(message)),
      // Nobody waits for it, but what it says of a token is believed as little as any other word while the brake is on.
      sendSilently: async (message) => circuits.heed(`fcm:${message.platform}`, await push.sendSilently(message)),
    },
    email: { send: async (message) => circuits.heed('sendgrid', await email.send(message)) },
    sms: { ...sms, send: async (message) => circuits.heed('twilio', await sms.send(message)) },
  };
}
