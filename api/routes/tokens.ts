import { tokenEndpoints } from '../../contracts/rest/index.ts';
import {
  createBot,
  createBotToken,
  createToken,
  endBot,
  endToken,
  listBotTokens,
  listBots,
  listTokens,
  renameBot,
} from '../../domain/accounts/index.ts';
import { type Operations, reply } from '../operations.ts';

/** Tokens for programs, and users that are programs. */
export function tokenRoutes(operations: Operations): void {
  operations.add(tokenEndpoints.createToken, async ({ deps, actor, body }) =>
    reply(201, await createToken(deps, actor, body)),
  );
  operations.add(tokenEndpoints.listTokens, async ({ deps, actor }) =>
    reply(200, { items: await listTokens(deps, actor.userId) }),
  );
  operations.add(tokenEndpoints.endToken, async ({ deps, actor, params }) => {
    await endToken(deps, actor, params.tokenId);
    return reply(204, undefined);
  });
  operations.add(tokenEndpoints.createBot, async ({ deps, actor, body }) =>
    reply(201, await createBot(deps, actor, body)),
  );
  operations.add(tokenEndpoints.listBots, async ({ deps, actor }) =>
    reply(200, { items: await listBots(deps, actor) }),
  );
  operations.add(tokenEndpoints.renameBot, async ({ deps, actor, params, body }) =>
    reply(200, await renameBot(deps, actor, params.id, body.displayName)),
  );
  operations.add(tokenEndpoints.endBot, async ({ deps, actor, params }) => {
    await endBot(deps, actor, params.id);
    return reply(204, undefined);
  });
  operations.add(tokenEndpoints.createBotToken, async ({ deps, actor, params, body }) =>
    reply(201, await createBotToken(deps, actor, params.id, body)),
  );
  operations.add(tokenEndpoints.listBotTokens, async ({ deps, actor, params }) =>
    reply(200, { items: await listBotTokens(deps, actor, params.id) }),
  );
}
