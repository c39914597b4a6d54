import type { IRouter } from 'express';
import { limits } from '../../contracts/limits.ts';
import { aboutEndpoints } from '../../contracts/rest/index.ts';
import type { ApiOptions } from '../options.ts';
import { type RouteOptions, reply, route } from '../route.ts';

export function aboutRoutes(
  router: IRouter,
  routes: RouteOptions,
  { readiness, jwks }: Pick<ApiOptions, 'readiness' | 'jwks'>,
): void {
  route(router, aboutEndpoints.livez, routes, () => reply(200, { live: true }));
  route(router, aboutEndpoints.readyz, routes, async () => {
    const body = await readiness();
    return reply(body.ready ? 200 : 503, body);
  });
  route(router, aboutEndpoints.getLimits, routes, () => reply(200, limits));
  route(router, aboutEndpoints.jwks, routes, () => reply(200, jwks));
}
