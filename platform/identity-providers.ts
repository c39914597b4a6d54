import { z } from 'zod';
import type { IdentityProvider } from '../domain/deps.ts';
import { ownMachine } from './in-the-clear.ts';

/** What travels there is a secret: in the clear it goes to this machine alone. */
const isSafe = (text: string): boolean => {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && ownMachine.test(url.hostname)));
};
export const address = z.string().refine(isSafe, { message: 'must be an address that begins with https://' });

/**
 * An address of an app: https, this machine in development, or a scheme that is a domain of the app's owner turned around
 * (RFC 8252 §7.1). Nothing that a browser would run, and no fragment, for that is where the code goes.
 */
export const returnAddress = z
  .string()
  .refine(
    (text) =>
      URL.parse(text) !== null &&
      !text.includes('#') &&
      (isSafe(text) || /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+:/.test(text)),
    { message: 'must be https addresses, or those of an app such as com.example.app:/signed-in, without a #' },
  );

const common = {
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, { message: 'must be small letters, digits and dashes' }),
  name: z.string().min(1).max(60).optional(),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  /** `display`: an address that it tells is shown, and never counts as proved. */
  email: z.enum(['trusted', 'display']).default('trusted'),
};
const oidc = z.strictObject({
  ...common,
  type: z.literal('oidc'),
  issuer: address,
  responseMode: z.literal('form_post').optional(),
  scope: z
    .string()
    .regex(/\bopenid\b/, { message: 'must hold openid' })
    .default('openid email profile'),
});
const entra = oidc.extend({ type: z.literal('entra'), email: z.literal('display').default('display') });
const gitHub = z.strictObject({
  ...common,
  type: z.literal('github'),
  scope: z.string().default('read:user user:email'),
  urls: z.strictObject({ authorize: address, token: address, profile: address, emails: address }).default({
    authorize: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
    profile: 'https://api.github.com/user',
    emails: 'https://api.github.com/user/emails',
  }),
});
const provider = z.discriminatedUnion('type', [oidc, entra, gitHub]);

function toProvider({ email, name, ...given }: z.infer<typeof provider>): IdentityProvider {
  const known = { name: name ?? given.id, trustsEmail: email === 'trusted' };
  return given.type === 'github'
    ? { ...given, ...known, issuer: new URL(given.urls.authorize).origin }
    : { ...given, ...known };
}

/** Providers as JSON. A fault names where it is, and never repeats what stands there: secrets do. */
export const identityProvidersSetting = z.string().transform((text, context): IdentityProvider[] => {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  const parsed = z.array(provider).safeParse(parse(text));
  for (const { path, message } of parsed.error?.issues ?? []) refuse(`${path.join('.') || 'as a whole'}: ${message}`);
  const providers = (parsed.data ?? []).map(toProvider);
  const ids = providers.map(({ id }) => id);
  if (new Set(ids).size < ids.length) refuse('names a provider twice');
  return providers;
});

/** A list it is not, where it cannot be read. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
