import type { JobAction } from '../../contracts/entities/index.ts';
import { jobEndpoints } from '../../contracts/rest/index.ts';
import { askJob, listJobs, mendJobs, showJob } from '../../domain/jobs/index.ts';
import { type Operations, reply } from '../operations.ts';

/** Durable jobs that need a person: found, understood and mended, one or many. */
export function jobRoutes(operations: Operations): void {
  operations.add(jobEndpoints.listJobs, async ({ deps, actor, query }) =>
    reply(200, await listJobs(deps, actor, query)),
  );
  operations.add(jobEndpoints.getJob, async ({ deps, actor, params }) =>
    reply(200, await showJob(deps, actor, params.id)),
  );
  const plain = { retry: jobEndpoints.retryJob, skip: jobEndpoints.skipJob, close: jobEndpoints.closeJob };
  for (const [action, endpoint] of Object.entries(plain)) {
    operations.add(endpoint, async ({ deps, actor, params, body }) =>
      reply(200, await askJob(deps, actor, { ...params, ...body, action: action as JobAction })),
    );
  }
  operations.add(jobEndpoints.snoozeJob, async ({ deps, actor, params, body }) =>
    reply(200, await askJob(deps, actor, { ...params, ...body, action: 'snooze' })),
  );
  operations.add(jobEndpoints.mendJobs, async ({ deps, actor, body }) => reply(200, await mendJobs(deps, actor, body)));
}
