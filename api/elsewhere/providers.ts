import type { Request, Response } from 'express';
import passport from 'passport';
import type { ProvedIdentity } from '../../domain/accounts/index.ts';
import type { IdentityProvider } from '../../domain/deps.ts';
import { DomainError } from '../../domain/errors.ts';
import { asksProvider, toRefusal } from './ask.ts';
import { GitHubStrategy } from './github.ts';
import { OidcStrategy, discoverProvider } from './oidc.ts';

/** Milliseconds after which a provider is asked anew what it says of itself. */
const discoveredForMs = 3_600_000;

/** What a strategy keeps between the two halves of a sign-in. */
type Session = Record<string, unknown>;

/** A provider as the routes use it: both halves of a sign-in there, by a strategy of passport's. */
export interface Elsewhere {
  id: string;
  name: string;
  issuer: string;
  /** Where the browser goes, and what must be found again when it comes back. */
  begin(request: Request): Promise<{ location: string; session: Session }>;
  /** Who came back; throws where that is not proved. */
  finish(request: Request, session: Session): Promise<ProvedIdentity>;
}

interface Places {
  publicUrl: string;
  fetch: typeof fetch;
  now: () => Date;
}

export const createElsewhere = (
  providers: readonly IdentityProvider[],
  places: Places,
): ReadonlyMap<string, Elsewhere> => new Map(providers.map((provider) => [provider.id, elsewhere(provider, places)]));

function elsewhere(provider: IdentityProvider, places: Places): Elsewhere {
  const { id, name, issuer } = provider;
  const strategy = strategyOf(provider, places);
  return {
    ...{ id, name, issuer },
    async begin(request) {
      const session: Session = {};
      const outcome = await refusing(async () => run(await strategy(), request, session));
      if (!('location' in outcome)) throw new DomainError('invalid_identity');
      return { location: outcome.location, session };
    },
    async finish(request, session) {
      const outcome = await refusing(async () => run(await strategy(), request, session));
      if (!('identity' in outcome)) throw new DomainError('invalid_identity');
      return outcome.identity;
    },
  };
}

/** Whatever goes wrong there, by whichever library, is a refusal of ours. */
const refusing = <T>(work: () => Promise<T>): Promise<T> =>
  work().catch((thrown: unknown) => {
    throw toRefusal(thrown);
  });

export const callbackOf = ({ publicUrl }: Pick<Places, 'publicUrl'>, id: string): string =>
  `${publicUrl}/v1/auth/oauth/${id}/callback`;

/** Asked for when somebody first signs in: a provider that is away keeps no process from starting. */
function strategyOf(provider: IdentityProvider, places: Places): () => Promise<passport.Strategy> {
  const callback = callbackOf(places, provider.id);
  const ask = asksProvider(places.fetch);
  if (provider.type === 'github') {
    const only = new GitHubStrategy(provider, ask, callback);
    return () => Promise.resolve(only);
  }
  const make = async () =>
    new OidcStrategy(provider, await discoverProvider(provider, ask), callback) as passport.Strategy;
  return remembered(make, places.now);
}

/** One of all who ask at once asks the provider; a failure is not remembered. */
function remembered<T>(make: () => Promise<T>, now: () => Date): () => Promise<T> {
  let known: { value: Promise<T>; until: number } | undefined;
  return () => {
    if (known && known.until > now().getTime()) return known.value;
    const mine = { value: make(), until: now().getTime() + discoveredForMs };
    mine.value.catch(() => {
      if (known === mine) known = undefined;
    });
    known = mine;
    return mine.value;
  };
}

type Outcome = { location: string } | { identity: ProvedIdentity };

/**
 * One half, by passport. A strategy keeps what it needs in `request.session`, which is ours and goes into the sealed cookie;
 * and writes a redirect on the answer, which the route has more to say on: so it is given one that only listens.
 */
function run(strategy: passport.Strategy, request: Request, session: Session): Promise<Outcome> {
  const authenticator = new passport.Passport();
  authenticator.use('elsewhere', strategy);
  Object.assign(request, { session });
  return new Promise((resolve, reject) => {
    const settle = (error: unknown, identity: ProvedIdentity | false | null) => {
      if (error) reject(error);
      else if (identity) resolve({ identity });
      // The one thing that strategies fail by without an error: the person, or what was begun, is not the one.
      else reject(new DomainError(request.query.error === 'access_denied' ? 'provider_refused' : 'invalid_identity'));
    };
    const authenticate = authenticator.authenticate('elsewhere', { session: false }, settle);
    authenticate(request, listening(resolve), reject);
  });
}

const listening = (hear: (outcome: Outcome) => void) =>
  ({
    setHeader: (name: string, value: string) => name === 'Location' && hear({ location: value }),
    end: () => undefined,
  }) as unknown as Response;
