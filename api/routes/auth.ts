import type { NextFunction, Request, Response } from 'express';
import type { SecondFactorNeeded } from '../../contracts/entities/index.ts';
import { type SignedIn, authEndpoints } from '../../contracts/rest/index.ts';
import {
  changePassword,
  forgotPassword,
  listSessions,
  logout,
  refresh,
  register,
  resetPassword,
  revokeOtherSessions,
  revokeSession,
} from '../../domain/accounts/index.ts';
import { type Operations, reply } from '../operations.ts';
import type { ApiOptions } from '../options.ts';

type SignIn = (request: Request, response: Response, next: NextFunction) => Promise<SignedIn | SecondFactorNeeded>;

interface WaysIn extends Pick<ApiOptions, 'addressOf'> {
  signIn: SignIn;
}

/** The ways in. */
export function signInRoutes(operations: Operations, { signIn, addressOf }: WaysIn): void {
  operations.add(authEndpoints.register, async ({ deps, body, request }) =>
    reply(201, await register(deps, body, addressOf(request))),
  );
  operations.add(authEndpoints.login, async ({ request, body }) => {
    // passport's strategy reads the request: it shall see what the contract let through.
    request.body = body;
    const next = () => undefined;
    const outcome = await signIn(request, request.res as Response, next);
    return 'session' in outcome ? reply(200, outcome) : reply(202, outcome);
  });
  operations.add(authEndpoints.refresh, async ({ deps, body, request }) =>
    reply(200, { session: await refresh(deps, body.refreshToken, addressOf(request)) }),
  );
  operations.add(authEndpoints.forgotPassword, async ({ deps, body }) =>
    reply(202, await forgotPassword(deps, body.identifier)),
  );
  operations.add(authEndpoints.resetPassword, async ({ deps, body }) => {
    await resetPassword(deps, body);
    return reply(204, undefined);
  });
}

/** Sessions and password of one's own, and the ways out. */
export function sessionRoutes(operations: Operations): void {
  operations.add(authEndpoints.changePassword, async ({ deps, actor, body }) =>
    reply(200, { revoked: await changePassword(deps, actor, body) }),
  );
  operations.add(authEndpoints.logout, async ({ deps, actor }) => {
    await logout(deps, actor);
    return reply(204, undefined);
  });
  operations.add(authEndpoints.listSessions, async ({ deps, actor }) =>
    reply(200, { items: await listSessions(deps, actor) }),
  );
  operations.add(authEndpoints.revokeSession, async ({ deps, actor, params }) => {
    await revokeSession(deps, actor, params.id);
    return reply(204, undefined);
  });
  operations.add(authEndpoints.revokeOtherSessions, async ({ deps, actor }) =>
    reply(200, { revoked: await revokeOtherSessions(deps, actor) }),
  );
}
