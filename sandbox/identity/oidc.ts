import { type KeyObject, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Request, type Response, Router, urlencoded } from 'express';
import Provider from 'oidc-provider';
import { type Stranger, pickPage, picked } from './people.ts';

/** How an app is known to a provider of the sandbox. */
export interface Client {
  clientId: string;
  clientSecret: string;
  redirectUri: string;
}

export const makeKey = (): KeyObject => generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;

/**
 * An OpenID Connect provider, the real thing (oidc-provider) but that everybody is who they say. It asks for PKCE of nobody,
 * as most do, so that who leaves it out is not saved by it.
 */
export function oidcProvider(
  issuer: string,
  { clientId, clientSecret, redirectUri }: Client,
  privateKey = makeKey(),
): Router {
  const people = new Map<string, Stranger>();
  const { pathname } = new URL(issuer);
  const provider = new Provider(issuer, {
    clients: [
      {
        ...{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] },
        ...{ token_endpoint_auth_method: 'client_secret_post', grant_types: ['authorization_code'] },
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'sandbox', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => false },
    ttl: {
      AccessToken: 3_600,
      AuthorizationCode: 60,
      Grant: 3_600,
      IdToken: 3_600,
      Interaction: 3_600,
      Session: 3_600,
    },
    interactions: { url: (_context, { uid }) => `${pathname}/pick/${uid}` },
    findAccount: (_context, id) => accountOf(people.get(id)),
    // Nobody is asked whether the app may know them: that is not what is tried out here.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId, accountId: oidc.session?.accountId ?? '' });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  const router = Router();
  router.get('/pick/:uid', (_request, response) => void response.type('html').send(pickPage('OpenID Connect')));
  router.post('/pick/:uid', urlencoded({ extended: false }), (request, response) =>
    pick(provider, people, request, response),
  );
  router.use(provider.callback());
  return router;
}

async function pick(
  provider: Provider,
  people: Map<string, Stranger>,
  request: Request,
  response: Response,
): Promise<void> {
  const { deny } = request.body as { deny?: string };
  if (deny) return provider.interactionFinished(request, response, { error: 'access_denied' });
  const person = picked('oidc', request.body);
  people.set(person.id, person);
  await provider.interactionFinished(request, response, { login: { accountId: person.id, remember: false } });
}

const accountOf = (person: Stranger | undefined) =>
  person && {
    accountId: person.id,
    claims: () => ({ sub: person.id, name: person.name, email: person.email, email_verified: person.verified }),
  };
