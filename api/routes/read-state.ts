import type { IRouter } from 'express';
import { readStateEndpoints } from '../../contracts/rest/index.ts';
import type { Deps } from '../../domain/deps.ts';
import { dropDraft, keepDraft, listDrafts } from '../../domain/drafts/index.ts';
import { getUnread, setUnreadMark, updateReceipts } from '../../domain/receipts/index.ts';
import { eventsAfter, sync } from '../../domain/sync/index.ts';
import { type RouteOptions, reply, route } from '../route.ts';

export function readStateRoutes(router: IRouter, routes: RouteOptions, deps: Deps): void {
  route(router, readStateEndpoints.updateReceipts, routes, async ({ actor, params, body }) =>
    reply(200, await updateReceipts(deps, actor, params.id, body)),
  );
  route(router, readStateEndpoints.setUnreadMark, routes, async ({ actor, params, body }) =>
    reply(200, await setUnreadMark(deps, actor, params.id, body.seq)),
  );
  route(router, readStateEndpoints.getUnread, routes, async ({ actor }) => reply(200, await getUnread(deps, actor)));
  route(router, readStateEndpoints.putDraft, routes, async ({ actor, params, body }) =>
    reply(200, await keepDraft(deps, actor, params.id, body)),
  );
  route(router, readStateEndpoints.deleteDraft, routes, async ({ actor, params }) => {
    await dropDraft(deps, actor, params.id);
    return reply(204, undefined);
  });
  route(router, readStateEndpoints.listDrafts, routes, async ({ actor }) =>
    reply(200, { items: await listDrafts(deps, actor) }),
  );
  route(router, readStateEndpoints.eventsAfter, routes, async ({ actor, params, query }) =>
    reply(200, await eventsAfter(deps, actor, params.id, query)),
  );
  route(router, readStateEndpoints.sync, routes, async ({ actor, body }) => reply(200, await sync(deps, actor, body)));
}
