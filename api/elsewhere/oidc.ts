import type { Request } from 'express';
import {
  type Configuration,
  allowInsecureRequests,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  randomNonce,
  randomState,
} from 'openid-client';
import { Strategy, type VerifyFunction } from 'openid-client/passport';
import type { OidcProvider } from '../../domain/deps.ts';
import { type ProvedIdentity, addressOf } from '../../domain/accounts/index.ts';
import { limits } from '../../contracts/limits.ts';
import { DomainError } from '../../domain/errors.ts';

type Tokens = Parameters<VerifyFunction>[0];

/** What we read of a provider's claims. */
interface Claims {
  iss: string;
  sub: string;
  email?: unknown;
  email_verified?: unknown;
  name?: unknown;
  locale?: unknown;
  tid?: unknown;
  oid?: unknown;
}

/** What an OpenID Connect provider says of itself: its addresses and keys, and whether its answers name it (RFC 9207). */
export async function discoverProvider(provider: OidcProvider, ask: typeof fetch): Promise<Configuration> {
  const issuer = new URL(provider.issuer);
  return discovery(issuer, provider.clientId, provider.clientSecret, undefined, {
    // Its own type of the same function; what it gives has a body or leaves it out.
    [customFetch]: (address, init) => ask(address, init as RequestInit),
    timeout: limits.oauthProviderSeconds,
    // Left out, a token that came straight from the provider is taken by TLS alone, and its signature never looked at.
    execute: [enableNonRepudiationChecks, ...(issuer.protocol === 'http:' ? [allowInsecureRequests] : [])],
  });
}

/**
 * The strategy of openid-client. PKCE and the nonce are its own; that `state` goes along always is ours: it leaves it out
 * where the provider knows PKCE, and then a stranger's answer is found out only after the provider was asked.
 */
export class OidcStrategy extends Strategy {
  /** Not private to the language: passport makes copies of a strategy by its prototype. */
  private readonly callback: string;
  private readonly responseMode: string | undefined;

  constructor(provider: OidcProvider, config: Configuration, callbackURL: string) {
    const verify: VerifyFunction = (tokens, done) => {
      readIdentity(provider, config, tokens).then(
        (identity) => done(null, identity),
        (error) => done(error),
      );
    };
    super({ config, callbackURL, scope: provider.scope, sessionKey: provider.id }, verify);
    this.callback = callbackURL;
    this.responseMode = provider.responseMode;
  }

  override authorizationRequestParams<Options>(request: Request, options: Options): URLSearchParams {
    const given = super.authorizationRequestParams(request, options as never);
    const params = new URLSearchParams(given instanceof URLSearchParams ? given : {});
    params.set('state', randomState());
    params.set('nonce', randomNonce());
    if (this.responseMode) params.set('response_mode', this.responseMode);
    return params;
  }

  /** Where we are is configured, and not what a request says of its host. */
  override currentUrl(request: Request): URL {
    return new URL(`${this.callback}${new URL(request.originalUrl, this.callback).search}`);
  }
}

async function readIdentity(provider: OidcProvider, config: Configuration, tokens: Tokens): Promise<ProvedIdentity> {
  const claims = tokens.claims();
  if (!claims) throw new DomainError('invalid_identity');
  return identityOf(provider, await withProfile(config, tokens.access_token, claims));
}

/** Some providers tell the address only where they are asked for it; they must speak of the same person. */
async function withProfile(config: Configuration, accessToken: string, claims: Claims): Promise<Claims> {
  if (claims.email !== undefined || !config.serverMetadata().userinfo_endpoint) return claims;
  return { ...(await fetchUserInfo(config, accessToken, claims.sub)), ...claims };
}

const tenantId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** As the configured one is written, with the tenant where that names one, or `organizations`. */
function issuerOfTenant(issuer: string, tenant: unknown): string | undefined {
  if (typeof tenant !== 'string' || !tenantId.test(tenant)) return undefined;
  const { origin, pathname } = new URL(issuer);
  return `${origin}${pathname.replace(/^\/[^/]+/, `/${tenant}`)}`;
}

/**
 * Who the claims say it is. At Microsoft `sub` differs from app to app and the address is whatever a tenant's admin wrote:
 * there it is the tenant (which the issuer names) and the object's id, and the address is for the eye.
 */
export function identityOf({ id, type, issuer, trustsEmail }: OidcProvider, claims: Claims): ProvedIdentity {
  const subject = type === 'entra' ? claims.oid : claims.sub;
  const isOfTenant = type !== 'entra' || claims.iss === issuerOfTenant(issuer, claims.tid);
  if (typeof subject !== 'string' || subject === '' || !isOfTenant) throw new DomainError('invalid_identity');
  const email = addressOf(claims.email);
  return {
    ...{ provider: id, issuer: claims.iss, subject, email },
    // Apple writes it as a text.
    emailVerified: email !== null && trustsEmail && [true, 'true'].includes(claims.email_verified as never),
    displayName: typeof claims.name === 'string' ? claims.name : null,
    locale: typeof claims.locale === 'string' ? claims.locale : null,
  };
}
