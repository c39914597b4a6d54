import { adminEndpoints } from '../../contracts/rest/index.ts';
import { listAudit } from '../../domain/audit/index.ts';
import {
  explainAttempt,
  explainMessage,
  reactivateUser,
  reconcile,
  removeFactors,
  suspendUser,
  userStory,
} from '../../domain/support/index.ts';
import { type Operations, reply } from '../operations.ts';

/** What the roles of the organisation may ask; the operations refuse whoever has not the role that the policy names. */
export function adminRoutes(operations: Operations): void {
  operations.add(adminEndpoints.getUserStory, async ({ deps, actor, params, query }) =>
    reply(200, await userStory(deps, actor, params.id, query)),
  );
  operations.add(adminEndpoints.explainMessage, async ({ deps, actor, params, query }) =>
    reply(200, await explainMessage(deps, actor, { messageId: params.id, userId: query.userId })),
  );
  operations.add(adminEndpoints.explainAttempt, async ({ deps, actor, params }) =>
    reply(200, await explainAttempt(deps, actor, params.id)),
  );
  operations.add(adminEndpoints.getReconciliation, async ({ deps, actor, query }) =>
    reply(200, await reconcile(deps, actor, query)),
  );
  operations.add(adminEndpoints.suspendUser, async ({ deps, actor, params }) => {
    await suspendUser(deps, actor, params.id);
    return reply(204, undefined);
  });
  operations.add(adminEndpoints.reactivateUser, async ({ deps, actor, params }) => {
    await reactivateUser(deps, actor, params.id);
    return reply(204, undefined);
  });
  operations.add(adminEndpoints.removeFactors, async ({ deps, actor, params }) =>
    reply(200, await removeFactors(deps, actor, params.id)),
  );
  operations.add(adminEndpoints.listAudit, async ({ deps, actor, query }) =>
    reply(200, await listAudit(deps, actor, query)),
  );
}
