import type { IRouter, NextFunction, Request, Response } from 'express';
import { authEndpoints } from '../../contracts/rest/index.ts';
import {
  listSessions,
  logout,
  refresh,
  register,
  revokeOtherSessions,
  revokeSession,
} from '../../domain/accounts/index.ts';
import type { Deps } from '../../domain/deps.ts';
import type { SignedIn } from '../middleware/authenticate.ts';
import { type RouteOptions, reply, route } from '../route.ts';

type SignIn = (request: Request, response: Response, next: NextFunction) => Promise<SignedIn>;

export function authRoutes(router: IRouter, routes: RouteOptions, deps: Deps, signIn: SignIn): void {
  route(router, authEndpoints.register, routes, async ({ body }) => reply(201, await register(deps, body)));
  route(router, authEndpoints.login, routes, async ({ request, body }) => {
    // passport's strategy reads the request: it shall see what the contract let through.
    request.body = body;
    const next = () => undefined;
    return reply(200, await signIn(request, request.res as Response, next));
  });
  route(router, authEndpoints.refresh, routes, async ({ body }) =>
    reply(200, { session: await refresh(deps, body.refreshToken) }),
  );
  route(router, authEndpoints.logout, routes, async ({ actor }) => {
    await logout(deps, actor);
    return reply(204, undefined);
  });
  route(router, authEndpoints.listSessions, routes, async ({ actor }) =>
    reply(200, { items: await listSessions(deps, actor) }),
  );
  route(router, authEndpoints.revokeSession, routes, async ({ actor, params }) => {
    await revokeSession(deps, actor, params.id);
    return reply(204, undefined);
  });
  route(router, authEndpoints.revokeOtherSessions, routes, async ({ actor }) =>
    reply(200, { revoked: await revokeOtherSessions(deps, actor) }),
  );
}
