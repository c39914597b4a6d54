import { z } from 'zod';
import { Instant } from './common.ts';

/** What a deployment calls a provider in its settings and in paths. */
export const ProviderName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, {
    message: 'must be small letters, digits and dashes, forty at most',
  })
  .meta({ description: 'A provider of this deployment: `listProviders` names them', examples: ['google'] });

export const Provider = z
  .strictObject({ provider: z.string(), name: z.string().meta({ description: 'For a button', examples: ['Google'] }) })
  .meta({ id: 'Provider' });
export type Provider = z.infer<typeof Provider>;

/** An account elsewhere that a person signs in with. */
export const Identity = z
  .strictObject({
    provider: z.string(),
    email: z
      .string()
      .nullable()
      .meta({ description: 'For the eye: what the provider said last. Nothing is decided by it' }),
    displayName: z.string().nullable(),
    createdAt: Instant,
    lastUsedAt: Instant.nullable(),
  })
  .meta({ id: 'Identity' });
export type Identity = z.infer<typeof Identity>;

/** What only the app knows that began (RFC 7636), and its SHA-256. */
export const CodeVerifier = z
  .string()
  .regex(/^[\w.~-]{43,128}$/, { message: 'must be 43 to 128 letters, digits and -._~' });
export const CodeChallenge = z
  .string()
  .regex(/^[\w-]{43}$/, { message: 'must be the SHA-256 of the verifier in base64url: 43 characters' })
  .meta({ description: 'The SHA-256 of a secret that the app keeps and shows as `verifier`, in base64url' });
