import type { Request } from 'express';
import OAuth2Strategy from 'passport-oauth2';
import { z } from 'zod';
import { type ProvedIdentity, addressOf } from '../../domain/accounts/index.ts';
import type { GitHubProvider } from '../../domain/deps.ts';
import { DomainError } from '../../domain/errors.ts';

const Token = z.object({ access_token: z.string().min(1) });
const Profile = z.object({ id: z.int(), login: z.string(), name: z.string().nullish() });
const Emails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));

/** As the library's own client calls back. */
type Traded = (error: unknown, accessToken?: string) => void;

/**
 * GitHub, which is no OpenID Connect: who somebody is says its interface, with the token that the code was traded for. By
 * passport-oauth2 with PKCE and `state`; but its calls go by our one way to ask, and not by its own client. Passport makes
 * copies of a strategy by its prototype, on which fields that are private to the language are not there.
 */
export class GitHubStrategy extends OAuth2Strategy {
  private readonly provider: GitHubProvider;
  private readonly ask: typeof fetch;

  constructor(provider: GitHubProvider, ask: typeof fetch, callbackURL: string) {
    super(
      {
        ...{ authorizationURL: provider.urls.authorize, tokenURL: provider.urls.token, callbackURL },
        ...{ clientID: provider.clientId, clientSecret: provider.clientSecret, scope: provider.scope },
        ...{ pkce: true, state: true, sessionKey: provider.id },
      },
      (_accessToken: string, _refreshToken: string, identity: ProvedIdentity, done: OAuth2Strategy.VerifyCallback) =>
        done(null, identity),
    );
    this.provider = provider;
    this.ask = ask;
    const getOAuthAccessToken = (code: string, params: Record<string, string>, done: Traded) => {
      trade(provider, ask, { ...params, code }).then(
        (token) => done(null, token),
        (error) => done(error),
      );
    };
    Object.assign(this._oauth2, { getOAuthAccessToken });
  }

  /** An answer that names who gave it must name who was asked (RFC 9207): the code goes to nobody else. */
  override authenticate(request: Request, options?: object): void {
    const { iss } = request.query;
    const { origin } = new URL(this.provider.urls.authorize);
    if (iss === undefined || (typeof iss === 'string' && URL.parse(iss)?.origin === origin))
      return super.authenticate(request, options);
    this.error(new DomainError('invalid_identity'));
  }

  override userProfile(accessToken: string, done: (error?: unknown, profile?: ProvedIdentity) => void): void {
    look(this.provider, this.ask, accessToken).then(
      (identity) => done(null, identity),
      (error) => done(error),
    );
  }
}

async function trade(provider: GitHubProvider, ask: typeof fetch, params: Record<string, string>): Promise<string> {
  const { clientId, clientSecret, urls } = provider;
  const body = new URLSearchParams({ ...params, client_id: clientId, client_secret: clientSecret });
  const answer = await json(await ask(urls.token, { method: 'POST', headers: { accept: 'application/json' }, body }));
  return Token.parse(answer).access_token;
}

async function look(provider: GitHubProvider, ask: typeof fetch, accessToken: string): Promise<ProvedIdentity> {
  const { id, issuer, urls, trustsEmail } = provider;
  const headers = { authorization: `Bearer ${accessToken}`, accept: 'application/json', 'user-agent': 'homing' };
  const get = async (address: string) => json(await ask(address, { headers }));
  const [profile, emails] = [Profile.parse(await get(urls.profile)), Emails.parse(await get(urls.emails))];
  const primary = emails.find((each) => each.primary);
  const email = addressOf(primary?.email);
  return {
    // A login may be given up and taken by somebody else; the number stays theirs.
    ...{ provider: id, issuer, subject: String(profile.id), email },
    emailVerified: email !== null && trustsEmail && primary?.verified === true,
    displayName: profile.name ?? profile.login,
    locale: null,
  };
}

async function json(response: Response): Promise<unknown> {
  if (!response.ok) throw new DomainError('invalid_identity');
  return response.json();
}
