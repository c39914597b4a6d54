import type { Request, Response } from 'express';
import { type Price, pricesOf, rateLimits, refusedTokenPrices } from '../../contracts/rate-limits.ts';
import type { Endpoint } from '../../contracts/rest/endpoint.ts';
import { sessionOfRefreshToken } from '../../domain/accounts/index.ts';
import type { Actor, Budget, Deps, Spender } from '../../domain/deps.ts';
import { rateLimited } from '../../domain/errors.ts';
import type { ApiOptions } from '../options.ts';

interface Whose {
  actor: Actor | undefined;
  params: Record<string, string | undefined>;
  /** As the contract let it through, once it was read. */
  body?: unknown;
}
/**
 * Before the body is read, or after: who signs in as whom, and with which refresh token, only the body says. Or, where
 * nobody is let in, once that is known.
 */
type Part = 'before' | 'after' | 'refused';

/** Takes what an operation costs from whoever asks, and says on the answer what is left; throws `rate_limited`. */
export type Limiter = (
  part: Part,
  endpoint: Endpoint,
  request: Request,
  response: Response,
  whose: Whose,
) => Promise<void>;

export function createLimiter(
  deps: Pick<Deps, 'db' | 'now'>,
  { limits, addressOf }: Pick<ApiOptions, 'limits' | 'addressOf'>,
): Limiter {
  const pricesFor = rememberedPrices();
  return async (part, endpoint, request, response, whose) => {
    const prices = pricesFor(endpoint)[part];
    if (prices.length === 0) return;
    const address = addressOf(request);
    const by = part === 'after' ? await namedInBody(deps, whose.body, address) : spenderOf(whose, address);
    const before = response.locals as { budgets?: readonly Budget[]; waited?: boolean };
    const spending = limits.spend(prices, by, before.waited !== true);
    const { budgets, refused, waited } = spending instanceof Promise ? await spending : spending;
    Object.assign(before, { budgets: [...(before.budgets ?? []), ...budgets], waited });
    tell(response, before.budgets ?? []);
    if (refused) throw rateLimited(refused);
  };
}

/** The prices of each operation, by when they are taken. */
function rememberedPrices() {
  const known = new Map<string, Record<Part, readonly Price[]>>();
  return (endpoint: Endpoint): Record<Part, readonly Price[]> => {
    const found = known.get(endpoint.operationId);
    if (found) return found;
    const [after = [], before = []] = [true, false].map((is) =>
      pricesOf(endpoint).filter((price) => (endpoint.auth === 'none' && isNamedInBody(price)) === is),
    );
    const prices = { before, after, refused: refusedTokenPrices };
    known.set(endpoint.operationId, prices);
    return prices;
  };
}

const isNamedInBody = ([name]: Price) =>
  rateLimits[name].key === 'account-at-address' || rateLimits[name].key === 'session';

const spenderOf = ({ actor, params }: Whose, address: string): Spender => ({
  ...{ userId: actor?.userId, sessionId: actor?.sessionId, address },
  // What is no id names nothing, and is no key of ours: the contract refuses it.
  conversationId: params.id?.length === 36 ? params.id.toLowerCase() : undefined,
});

async function namedInBody(deps: Pick<Deps, 'db' | 'now'>, body: unknown, address: string): Promise<Spender> {
  const { identifier, refreshToken } = body as { identifier?: string; refreshToken?: string };
  const sessionId = refreshToken === undefined ? undefined : await sessionOfRefreshToken(deps, refreshToken);
  return { address, account: identifier?.toLowerCase(), sessionId };
}

/** What stands on the answer (draft-ietf-httpapi-ratelimit-headers): a quota and its window, what is left, until when. */
function tell(response: Response, budgets: readonly Budget[]): void {
  if (budgets.length === 0) return;
  const policy = budgets.map(({ name, points, seconds }) => `"${name}";q=${points};w=${seconds}`);
  const left = budgets.map(
    ({ name, seconds, remaining, resetMs }) =>
      `"${name}";r=${remaining};t=${Math.min(seconds, Math.ceil(resetMs / 1_000))}`,
  );
  response.setHeader('ratelimit-policy', policy.join(', '));
  response.setHeader('ratelimit', left.join(', '));
}
