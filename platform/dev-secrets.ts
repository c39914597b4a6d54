import { generateKeyPairSync, randomBytes } from 'node:crypto';

/**
 * Secrets for a developer's machine or a test run, as environment variables. Made anew at every call: whoever calls keeps
 * them if they must outlive a restart. There are no built-in ones that a production deployment could end up with.
 */
export function developmentSecrets(): Record<string, string> {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const events = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  return {
    HOMING_SECRET_KEY: randomBytes(32).toString('base64url'),
    HOMING_PASSWORD_PEPPER: randomBytes(32).toString('base64url'),
    HOMING_JWT_KEYS: JSON.stringify([{ kid: 'dev', key: privateKey }]),
    HOMING_KEY_ENCRYPTION_KEYS: JSON.stringify([{ kid: 'dev', key: randomBytes(32).toString('base64') }]),
    HOMING_PAYLOAD_KEYS: JSON.stringify([{ kid: 'dev', key: randomBytes(32).toString('base64') }]),
    HOMING_FACTOR_KEYS: JSON.stringify([{ kid: 'dev', key: randomBytes(32).toString('base64') }]),
    // A development hash need not hold off an attacker, and every test registers people.
    HOMING_ARGON2_MEMORY: '8',
    SENDGRID_API_KEY: `SG.${randomBytes(16).toString('base64url')}`,
    // The sandbox signs with the one, the app knows it by the other.
    SANDBOX_SENDGRID_KEY: events.privateKey,
    SENDGRID_WEBHOOK_KEYS: events.publicKey.toString('base64'),
    TWILIO_ACCOUNT_SID: `AC${randomBytes(16).toString('hex')}`,
    // No 32 hex digits, as real ones are: those are refused beside a stand-in.
    TWILIO_AUTH_TOKEN: `sandbox-${randomBytes(16).toString('hex')}`,
    TWILIO_MESSAGING_SERVICE_SID: `MG${randomBytes(16).toString('hex')}`,
    FCM_PROJECT_ID: 'homing-development',
  };
}
