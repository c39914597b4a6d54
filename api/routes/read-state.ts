import { readStateEndpoints } from '../../contracts/rest/index.ts';
import { dropDraft, keepDraft, listDrafts } from '../../domain/drafts/index.ts';
import { getUnread, setUnreadMark, updateReceipts } from '../../domain/receipts/index.ts';
import { eventsAfter, sync } from '../../domain/sync/index.ts';
import { type Operations, reply } from '../operations.ts';

export function readStateRoutes(operations: Operations): void {
  operations.add(readStateEndpoints.updateReceipts, async ({ deps, actor, params, body }) =>
    reply(200, await updateReceipts(deps, actor, params.id, body)),
  );
  operations.add(readStateEndpoints.setUnreadMark, async ({ deps, actor, params, body }) =>
    reply(200, await setUnreadMark(deps, actor, params.id, body.seq)),
  );
  operations.add(readStateEndpoints.getUnread, async ({ deps, actor }) => reply(200, await getUnread(deps, actor)));
  operations.add(readStateEndpoints.putDraft, async ({ deps, actor, params, body }) =>
    reply(200, await keepDraft(deps, actor, params.id, body)),
  );
  operations.add(readStateEndpoints.deleteDraft, async ({ deps, actor, params, query }) => {
    await dropDraft(deps, actor, params.id, query);
    return reply(204, undefined);
  });
  operations.add(readStateEndpoints.listDrafts, async ({ deps, actor }) =>
    reply(200, { items: await listDrafts(deps, actor) }),
  );
  operations.add(readStateEndpoints.eventsAfter, async ({ deps, actor, params, query }) =>
    reply(200, await eventsAfter(deps, actor, params.id, query)),
  );
  operations.add(readStateEndpoints.sync, async ({ deps, actor, body }) => reply(200, await sync(deps, actor, body)));
}
