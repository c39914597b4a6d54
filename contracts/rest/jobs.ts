import { z } from 'zod';
import {
  Job,
  JobAnswer,
  JobBulk,
  JobBulkAnswer,
  JobConditions,
  JobDetails,
  JobId,
  JobRequest,
  JobSnooze,
  pageLimit,
  queryInteger,
} from '../entities/index.ts';
import { limits } from '../limits.ts';
import { endpoint } from './endpoint.ts';

const params = z.strictObject({ id: JobId });
const shared = { method: 'post', tag: 'Jobs', auth: 'user', params } as const;
const answered = {
  success: { 200: JobAnswer },
  errors: ['not_found', 'job_ended', 'nothing_to_mend', 'outcome_unknown', 'unavailable'],
} as const;

export const jobEndpoints = {
  listJobs: endpoint({
    operationId: 'listJobs',
    method: 'get',
    path: '/v1/admin/jobs',
    tag: 'Jobs',
    summary: 'The jobs that need a person, as Temporal’s index has them: some seconds late, and never the last word',
    auth: 'user',
    query: JobConditions.extend({
      olderThan: queryInteger.pipe(z.int().max(limits.jobAgeMinutes)).optional(),
      limit: pageLimit(50, limits.jobsPerPage),
      cursor: z.string().max(2_000).optional(),
    }),
    success: { 200: z.strictObject({ items: z.array(Job), nextCursor: z.string().nullable() }) },
    errors: ['unavailable'],
  }),
  getJob: endpoint({
    operationId: 'getJob',
    method: 'get',
    path: '/v1/admin/jobs/{id}',
    tag: 'Jobs',
    summary: 'One job as it stands now: what happened, and what may be done',
    auth: 'user',
    params,
    success: { 200: JobDetails },
    errors: ['not_found', 'unavailable'],
  }),
  retryJob: endpoint({
    ...{ ...shared, ...answered, operationId: 'retryJob', path: '/v1/admin/jobs/{id}/retry' },
    summary: 'Tries what is stuck again now',
    body: JobRequest,
  }),
  skipJob: endpoint({
    ...{ ...shared, ...answered, operationId: 'skipJob', path: '/v1/admin/jobs/{id}/skip' },
    summary: 'Strikes what is stuck off, and goes on without it',
    body: JobRequest,
  }),
  snoozeJob: endpoint({
    ...{ ...shared, ...answered, operationId: 'snoozeJob', path: '/v1/admin/jobs/{id}/snooze' },
    summary: 'Tries what is stuck again by itself after some minutes',
    body: JobSnooze,
  }),
  closeJob: endpoint({
    ...{ ...shared, ...answered, operationId: 'closeJob', path: '/v1/admin/jobs/{id}/close' },
    summary: 'Ends the job, stuck or not; nothing more is sent for what is unread now',
    body: JobRequest,
  }),
  mendJobs: endpoint({
    operationId: 'mendJobs',
    method: 'post',
    path: '/v1/admin/jobs/bulk',
    tag: 'Jobs',
    summary: 'The same for all jobs of some conditions, a bounded number a call; `nextCursor` is the rest',
    auth: 'user',
    body: JobBulk,
    success: { 200: JobBulkAnswer },
    errors: ['unavailable'],
  }),
};
