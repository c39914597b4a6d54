import { tokenEndpoints } from '../../contracts/rest/index.ts';
import { createToken, endToken, listTokens } from '../../domain/accounts/index.ts';
import type { Deps } from '../../domain/deps.ts';
import { type Operations, reply } from '../operations.ts';

/** Tokens for programs. */
export function tokenRoutes(operations: Operations, deps: Deps): void {
  operations.add(tokenEndpoints.createToken, async ({ actor, body }) =>
    reply(201, await createToken(deps, actor, body)),
  );
  operations.add(tokenEndpoints.listTokens, async ({ actor }) =>
    reply(200, { items: await listTokens(deps, actor.userId) }),
  );
  operations.add(tokenEndpoints.endToken, async ({ actor, params }) => {
    await endToken(deps, actor, params.tokenId);
    return reply(204, undefined);
  });
}
