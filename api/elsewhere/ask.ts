import { limits } from '../../contracts/limits.ts';
import { DomainError } from '../../domain/errors.ts';

/** The provider did not answer, or not in time, or that it cannot. */
class ProviderAway extends Error {
  override name = 'ProviderAway';
}

/**
 * The one way by which providers are asked, by whichever library. The whole answer is waited for here, for a few seconds:
 * who signs in must not wait for a provider that stalls. A redirect is not followed: none of these addresses has any.
 */
export const asksProvider =
  (send: typeof fetch): typeof fetch =>
  async (address, init) => {
    const late = AbortSignal.timeout(limits.oauthProviderSeconds * 1_000);
    const signal = init?.signal ? AbortSignal.any([init.signal, late]) : late;
    try {
      const response = await send(address, { ...init, redirect: 'manual', signal });
      const body = await response.arrayBuffer();
      if (response.status >= 500) throw new ProviderAway(`it answers ${response.status}`);
      const { status, headers } = response;
      return new Response(body.byteLength > 0 ? body : null, { status, headers });
    } catch (cause) {
      throw cause instanceof ProviderAway ? cause : new ProviderAway('it does not answer', { cause });
    }
  };

/** What an answer says that speaks for a provider in trouble, and not for one who says no (RFC 6749 §4.1.2.1). */
const troubles = new Set(['server_error', 'temporarily_unavailable']);
/** How a provider, or the person at it, says no. */
const refusals = new Set(['access_denied', 'interaction_required', 'login_required', 'consent_required']);

/** Whatever went wrong at a provider as an error of ours. Its words go no further: anybody may have written them. */
export function toRefusal(thrown: unknown): DomainError {
  if (thrown instanceof DomainError) return thrown;
  if (chain(thrown).some((each) => each instanceof ProviderAway) || troubles.has(wordOf(thrown)))
    return new DomainError('unavailable', { cause: thrown, detail: 'The provider does not answer; try again later.' });
  return new DomainError(refusals.has(wordOf(thrown)) ? 'provider_refused' : 'invalid_identity', { cause: thrown });
}

/** The libraries wrap what they met, passport-oauth2 under a name of its own. */
const chain = (error: unknown): unknown[] =>
  error instanceof Error ? [error, ...chain(error.cause ?? (error as { oauthError?: unknown }).oauthError)] : [];

/** The protocol's word for it (`error`), as openid-client keeps it or as passport-oauth2 does. */
const wordOf = (thrown: unknown): string => {
  const { error, code } = thrown as { error?: unknown; code?: unknown };
  return [error, code].find((word) => typeof word === 'string') ?? '';
};

/** For the log: the library's or the protocol's own word, where it is one, and nothing that a provider wrote freely. */
export function reasonOf({ cause }: DomainError): string {
  const words = chain(cause).flatMap((each) => [wordOf(each), (each as Error).name]);
  return words.filter((word) => /^[A-Za-z_]{3,60}$/.test(word)).join(' ');
}
