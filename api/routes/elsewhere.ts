import type { IRouter, Request, Response } from 'express';
import { identityEndpoints } from '../../contracts/rest/index.ts';
import {
  type Beginning,
  addIdentity,
  beginIdentity,
  comeBack,
  endTransaction,
  exchangeCode,
  listIdentities,
  removeIdentity,
  setOut,
  signInOver,
} from '../../domain/accounts/index.ts';
import type { Deps } from '../../domain/deps.ts';
import { notFound, rateLimited, toDomainError } from '../../domain/errors.ts';
import { reasonOf } from '../elsewhere/ask.ts';
import type { Elsewhere } from '../elsewhere/providers.ts';
import { type Transaction, keepTransaction, takeTransaction } from '../elsewhere/transaction.ts';
import { readForm } from '../middleware/body.ts';
import { type Operations, reply } from '../operations.ts';
import type { ApiOptions } from '../options.ts';

type Providers = ReadonlyMap<string, Elsewhere>;

/** The ways in by an account elsewhere: out to a provider, and in by the code that coming back ends in. */
export function elsewhereRoutes(
  operations: Operations,
  providers: Providers,
  { addressOf }: Pick<ApiOptions, 'addressOf'>,
): void {
  operations.add(identityEndpoints.listProviders, ({ deps }) => reply(200, { items: [...deps.identityProviders] }));
  operations.add(identityEndpoints.beginSignInWith, async ({ deps, params, query, request }) => {
    const provider = providers.get(params.provider);
    if (!provider) throw notFound();
    const beginning = await setOut(deps, provider.id, query);
    await sendOut(deps, provider, beginning, request);
    return reply(302, undefined);
  });
  operations.add(identityEndpoints.exchangeCode, async ({ deps, body, request }) => {
    const outcome = await exchangeCode(deps, body, addressOf(request));
    return 'session' in outcome ? reply(200, outcome) : reply(202, outcome);
  });
}

/** Accounts elsewhere of one's own. */
export function identityRoutes(operations: Operations): void {
  operations.add(identityEndpoints.listIdentities, async ({ deps, actor }) =>
    reply(200, await listIdentities(deps, actor)),
  );
  operations.add(identityEndpoints.beginIdentity, async ({ deps, actor, params, body }) =>
    reply(200, await beginIdentity(deps, actor, params.provider, body)),
  );
  operations.add(identityEndpoints.addIdentity, async ({ deps, actor, body }) =>
    reply(201, await addIdentity(deps, actor, body)),
  );
  operations.add(identityEndpoints.removeIdentity, async ({ deps, actor, params }) => {
    await removeIdentity(deps, actor, params.provider);
    return reply(204, undefined);
  });
}

async function sendOut(deps: Deps, provider: Elsewhere, beginning: Beginning, request: Request): Promise<void> {
  const response = request.res as Response;
  try {
    const { location, session } = await provider.begin(request);
    const state = new URL(location).searchParams.get('state') ?? '';
    keepTransaction(deps, response, { ...beginning, provider: provider.id, issuer: provider.issuer, state, session });
    response.setHeader('location', location);
  } catch (thrown) {
    response.setHeader(
      'location',
      backTo(beginning.returnTo, provider.id, { error: refusalOf(deps, provider, thrown) }),
    );
  }
}

/**
 * Where providers send people back to. No operation: what stands in its query is the provider's, which may add to it. It
 * always ends in the app that began, with a code of ours or the code of an error, behind a `#`, where no server's log and
 * no page behind it sees it; and of what the provider said nothing is repeated.
 */
export function elsewherePages(
  router: IRouter,
  deps: Deps,
  providers: Providers,
  { limits, addressOf }: Pick<ApiOptions, 'limits' | 'addressOf'>,
): void {
  const path = '/v1/auth/oauth/:provider/callback';
  router.get(path, async (request, response) => {
    const provider = providerOf(providers, request, response);
    const { refused } = await limits.spend([['sign-in', 1]], { address: addressOf(request) });
    if (refused) throw rateLimited(refused);
    const begun = takeTransaction(deps, request, response);
    const returnTo = begun?.returnTo ?? String(deps.returnAddresses[0]);
    const told = await finish(deps, provider, begun, request);
    response.redirect(302, backTo(returnTo, provider.id, told));
  });
  // Apple answers by a form (`response_mode=form_post`), with which no Lax cookie comes: the browser asks once more.
  router.post(path, readForm, (request, response) => {
    const provider = providerOf(providers, request, response);
    const form = new URLSearchParams(String(request.body));
    const known = ['code', 'state', 'iss', 'error'].filter((name) => form.has(name));
    const query = new URLSearchParams(known.map((name): [string, string] => [name, form.get(name) ?? '']));
    response.redirect(303, `/v1/auth/oauth/${provider.id}/callback?${query.toString()}`);
  });
}

function providerOf(providers: Providers, { params }: Request, response: Response): Elsewhere {
  response.locals.operation = 'oauthCallback';
  const provider = providers.get(String(params.provider));
  if (!provider) throw notFound();
  return provider;
}

/** Judges what came back, and makes a code of it. */
async function finish(
  deps: Deps,
  provider: Elsewhere,
  begun: Transaction | undefined,
  request: Request,
): Promise<Record<string, string>> {
  try {
    if (!begun || !isAnswerTo(begun, provider, request)) throw signInOver();
    await endTransaction(deps, { id: begun.id, expiresAt: new Date(begun.expiresAt) });
    const code = await comeBack(deps, await provider.finish(request, begun.session), begun);
    return { code };
  } catch (thrown) {
    return { error: refusalOf(deps, provider, thrown) };
  }
}

/** Of this provider, as it was when it began, and with the `state` that this browser was given. */
const isAnswerTo = (begun: Transaction, provider: Elsewhere, { query }: Request): boolean =>
  begun.provider === provider.id && begun.issuer === provider.issuer && query.state === begun.state;

function refusalOf(deps: Deps, { id }: Elsewhere, thrown: unknown): string {
  const refusal = toDomainError(thrown);
  if (refusal.code === 'internal') deps.log.error('a sign-in elsewhere failed', { provider: id, error: thrown });
  else deps.log.info('a sign-in elsewhere ended', { provider: id, code: refusal.code, reason: reasonOf(refusal) });
  return refusal.code;
}

const backTo = (returnTo: string, provider: string, told: Record<string, string>): string =>
  `${returnTo}#${new URLSearchParams({ provider, ...told }).toString()}`;
