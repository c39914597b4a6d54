import { limits } from '../../contracts/limits.ts';
import { aboutEndpoints } from '../../contracts/rest/index.ts';
import { type Operations, reply } from '../operations.ts';
import type { ApiOptions } from '../options.ts';

/** Seconds for which others may keep our keys: less than a new one is published before it signs. */
const jwksSeconds = 60;

export function aboutRoutes(
  operations: Operations,
  { readiness, jwks, addressOf }: Pick<ApiOptions, 'readiness' | 'jwks' | 'addressOf'>,
): void {
  operations.add(aboutEndpoints.livez, () => reply(200, { live: true }));
  operations.add(aboutEndpoints.readyz, async () => {
    const body = await readiness();
    return reply(body.ready ? 200 : 503, body);
  });
  operations.add(aboutEndpoints.getLimits, () => reply(200, limits));
  operations.add(aboutEndpoints.getAddress, ({ request }) => reply(200, { address: addressOf(request) }));
  operations.add(aboutEndpoints.jwks, ({ request }) => {
    request.res?.setHeader('cache-control', `public, max-age=${jwksSeconds}`);
    return reply(200, jwks());
  });
}
