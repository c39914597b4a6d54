import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** What SendGrid signs its events with: a P-256 pair, whose public half it hands out as SPKI in base64. */
export class SendGridKey {
  readonly publicKey: string;
  readonly #privatePem: string;

  /** From a PKCS#8 PEM, or new. */
  constructor(privatePem: string = newKey()) {
    this.#privatePem = privatePem;
    this.publicKey = createPublicKey(createPrivateKey(privatePem))
      .export({ type: 'spki', format: 'der' })
      .toString('base64');
  }

  /** Over the timestamp and the body exactly as it is posted. */
  sign(timestamp: string, body: string): string {
    return sign('sha256', Buffer.from(`${timestamp}${body}`), this.#privatePem).toString('base64');
  }
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export const newAuthToken = () => `sandbox-${randomBytes(16).toString('hex')}`;

/** Twilio's: over the address as it was given to Twilio, and all parameters, sorted, without anything between them. */
export function signTwilio(authToken: string, url: string, parameters: Record<string, string>): string {
  const sorted = Object.entries(parameters).sort(([one], [other]) => (one < other ? -1 : 1));
  const text = url + sorted.map(([name, value]) => `${name}${value}`).join('');
  return createHmac('sha1', authToken).update(text).digest('base64');
}
