import type { CircuitName, Circuits, SendOutcome, Senders } from '../../domain/deps.ts';

/** The senders, whose every outcome is heeded: what comes back is what is to be believed of it. */
export function guardSenders(
  { push, email, sms }: Senders,
  circuits: Pick<Circuits, 'heed'>,
  now: () => number,
): Senders {
  const heeded = async (name: CircuitName, call: () => Promise<SendOutcome>) => {
    const beganAt = now();
    return circuits.heed(name, await call(), beganAt);
  };
  return {
    push: {
      send: (message) => heeded(`fcm:${message.platform}`, () => push.send(message)),
      // Nobody waits for it, but what it says of a token is believed as little as any other word while the brake is on.
      sendSilently: (message) => heeded(`fcm:${message.platform}`, () => push.sendSilently(message)),
    },
    email: { send: (message) => heeded('sendgrid', () => email.send(message)) },
    sms: { ...sms, send: (message) => heeded('twilio', () => sms.send(message)) },
  };
}
