import { z } from 'zod';
import { PasskeyId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Instant, line } from './common.ts';

/** Bytes as WebAuthn's JSON writes them. */
const base64url = (max: number) =>
  z
    .string()
    .regex(/^[\w-]+$/, { message: 'must be base64url without padding' })
    .max(max);

export const PasskeyName = line(limits.passkeyNameLength);
export const Passkey = z
  .strictObject({ id: PasskeyId, name: z.string(), createdAt: Instant, lastUsedAt: Instant.nullable() })
  .meta({ id: 'Passkey' });
export type Passkey = z.infer<typeof Passkey>;

/** What a person can prove themselves by, beside the password. Secrets and codes are never shown again. */
export const Factors = z
  .strictObject({
    totp: z.boolean(),
    passkeys: z.array(Passkey),
    /** Of the ten that were shown. */
    recoveryCodesLeft: z.int().nonnegative(),
  })
  .meta({ id: 'Factors' });
export type Factors = z.infer<typeof Factors>;

/** What support took away of somebody who had lost it, and how many sessions ended with it. */
export const FactorsRemoved = z
  .strictObject({
    totp: z.boolean(),
    passkeys: z.int().nonnegative(),
    recoveryCodes: z.int().nonnegative(),
    sessions: z.int().nonnegative(),
  })
  .meta({ id: 'FactorsRemoved' });
export type FactorsRemoved = z.infer<typeof FactorsRemoved>;

export const RecoveryCodes = z
  .array(z.string())
  .meta({ description: 'Shown once; each works once', examples: [['0f3a-91c2-7b44-e0d5-6a18-c9f2-35d7-8be1']] });

/** Which passkeys may be used. */
const Credential = z.strictObject({
  id: z.string(),
  type: z.literal('public-key'),
  transports: z.array(z.string()),
});

/** For `navigator.credentials.get`, by `PublicKeyCredential.parseRequestOptionsFromJSON`. */
export const PasskeyRequest = z
  .strictObject({
    challenge: z.string(),
    rpId: z.string(),
    timeout: z.int(),
    allowCredentials: z.array(Credential),
    userVerification: z.literal('required'),
  })
  .meta({ id: 'PasskeyRequest' });
export type PasskeyRequest = z.infer<typeof PasskeyRequest>;

/** For `navigator.credentials.create`, by `PublicKeyCredential.parseCreationOptionsFromJSON`. */
export const PasskeyCreation = z
  .strictObject({
    challenge: z.string(),
    rp: z.strictObject({ id: z.string(), name: z.string() }),
    user: z.strictObject({ id: z.string(), name: z.string(), displayName: z.string() }),
    pubKeyCredParams: z.array(z.strictObject({ type: z.literal('public-key'), alg: z.int() })),
    timeout: z.int(),
    attestation: z.literal('none'),
    excludeCredentials: z.array(Credential),
    authenticatorSelection: z.strictObject({
      residentKey: z.literal('required'),
      requireResidentKey: z.literal(true),
      userVerification: z.literal('required'),
    }),
  })
  .meta({ id: 'PasskeyCreation' });
export type PasskeyCreation = z.infer<typeof PasskeyCreation>;

// What browsers write here grows with the standard, so what we do not know is passed over and not a fault.
const credential = {
  id: base64url(1_400),
  rawId: base64url(1_400),
  type: z.literal('public-key'),
  authenticatorAttachment: z.string().max(40).nullish(),
  clientExtensionResults: z.record(z.string(), z.unknown()).optional(),
};

/** What `navigator.credentials.create` gave, by its `toJSON`. */
export const NewPasskeyAnswer = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON: base64url(4_000),
      attestationObject: base64url(16_000),
      transports: z.array(z.string().max(40)).max(10).optional(),
    }),
  })
  .meta({ id: 'NewPasskeyAnswer' });
export type NewPasskeyAnswer = z.infer<typeof NewPasskeyAnswer>;

/** What `navigator.credentials.get` gave, by its `toJSON`. */
export const PasskeyAnswer = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON: base64url(4_000),
      authenticatorData: base64url(4_000),
      signature: base64url(2_000),
      userHandle: base64url(100).nullish(),
    }),
  })
  .meta({ id: 'PasskeyAnswer' });
export type PasskeyAnswer = z.infer<typeof PasskeyAnswer>;

/** The password was right and is not enough: what else, within five minutes. */
export const SecondFactorNeeded = z
  .strictObject({
    challenge: z.string().meta({ description: 'For `secondFactor`: good once, for five guesses and five minutes' }),
    expiresAt: Instant,
    methods: z.array(z.enum(['totp', 'passkey', 'recoveryCode'])),
    /** Null where there is no passkey. */
    passkey: PasskeyRequest.nullable(),
  })
  .meta({ id: 'SecondFactorNeeded' });
export type SecondFactorNeeded = z.infer<typeof SecondFactorNeeded>;
