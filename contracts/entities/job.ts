import { z } from 'zod';
import { UserId } from '../ids.ts';
import { limits } from '../limits.ts';
import { channels, providers } from '../workflows/names.ts';
import { Instant, line } from './common.ts';

/**
 * A durable job's id: its workflow's id, with dots in place of the slashes, so that it stands in a path as it is. The
 * workflow's own id, as the Temporal UI shows it, is taken too.
 */
export const JobId = z
  .string()
  .max(200)
  .regex(/^[a-z][a-z-]*([./][0-9a-z-]+){1,3}$/, {
    message: 'must be the id of a job, such as attention.<user>.<episode>',
  })
  .meta({ description: 'Id of a job: its workflow’s id, with dots for slashes' });

/** Why a step needs a person; the error class of its attempt. */
export const stuckReasons = [
  'provider_configuration',
  'provider_failing',
  'sms_outcome_unknown',
  'email_outcome_unknown',
] as const;
export type StuckReason = (typeof stuckReasons)[number];

/** Why a job needs a person. A closed list that only grows. */
const jobReasons = [...stuckReasons, 'decision_failing', 'worker_failing'] as const;
export const JobReason = z.enum(jobReasons).meta({ id: 'JobReason' });

export const jobActions = ['retry', 'skip', 'snooze', 'close'] as const;
export const JobAction = z.enum(jobActions);
export type JobAction = z.infer<typeof JobAction>;

/** Which of the jobs that need a person. Each condition that is named must hold. */
export const JobConditions = z.strictObject({
  reason: JobReason.optional(),
  provider: z.enum(providers).optional(),
  /** Minutes since it began, at least. */
  olderThan: z.int().min(0).max(limits.jobAgeMinutes).optional(),
});
export type JobConditions = z.infer<typeof JobConditions>;

const job = {
  id: JobId,
  kind: z.string(),
  state: z.enum(['running', 'ended']),
  needsAttention: z.boolean(),
  reason: JobReason.nullable(),
  /** Whose steps are stuck. */
  providers: z.array(z.enum(providers)),
  userId: UserId.nullable(),
  startedAt: Instant,
  endedAt: Instant.nullable(),
  /** Its page in the Temporal UI, where this deployment has named one. */
  url: z.string().nullable(),
};
export const Job = z.strictObject(job).meta({ id: 'Job' });
export type Job = z.infer<typeof Job>;

export const JobDetails = z
  .strictObject({
    ...job,
    /** What happened and what may be done, in the words of its page in the Temporal UI; null while no worker answers. */
    details: z.string().nullable(),
    remedies: z.array(JobAction),
  })
  .meta({ id: 'JobDetails' });
export type JobDetails = z.infer<typeof JobDetails>;

const minutes = z.int().min(1).max(limits.jobSnoozeMinutes);
const asked = {
  /** Why, for whoever looks at the job afterwards: nothing about a person. */
  note: line(limits.jobNoteLength).optional(),
  /** Names this request for ever: a repeat is answered as the first was, and does nothing again. Chosen here when left out. */
  requestId: z.uuid().toLowerCase().optional(),
};
const one = { ...asked, channel: z.enum(channels).optional() };
export const JobRequest = z.strictObject(one);
export type JobRequest = z.infer<typeof JobRequest>;
export const JobSnooze = z.strictObject({ ...one, minutes });

export const JobAnswer = z
  .strictObject({ id: JobId, requestId: z.uuid(), message: z.string() })
  .meta({ id: 'JobAnswer' });
export type JobAnswer = z.infer<typeof JobAnswer>;

export const JobBulk = z
  .strictObject({
    action: JobAction,
    where: JobConditions,
    /** For `snooze` alone. */
    minutes: minutes.optional(),
    /** Says what would be asked, and asks nothing. */
    dryRun: z.boolean().default(false),
    /** Jobs of this call, at most. */
    limit: z.int().min(1).max(limits.jobsPerBulk).default(limits.jobsPerBulk),
    /** Jobs in a second, at most. */
    rate: z.int().min(1).max(limits.jobsPerSecond).default(5),
    /** What the call before answered: the rest. */
    cursor: z.string().max(2_000).optional(),
    ...asked,
  })
  .refine(({ action, minutes: given }) => (action === 'snooze') === (given !== undefined), {
    path: ['minutes'],
    message: 'is for snooze, and snooze needs it',
  });
export type JobBulk = z.infer<typeof JobBulk>;

export const JobBulkAnswer = z
  .strictObject({
    dryRun: z.boolean(),
    /** How many fitted when the call came, those of calls before no longer among them. */
    matched: z.int().nonnegative(),
    done: z.int().nonnegative(),
    /** Those of which nothing is stuck any more, or that have ended. */
    passed: z.int().nonnegative(),
    failures: z.array(z.strictObject({ id: JobId, code: z.string(), detail: z.string() })),
    /** Of a dry run: those that this call would have asked. */
    wouldAsk: z.array(JobId),
    /** Why the call ended before its end; its rest is `nextCursor`. */
    stopped: z.strictObject({ code: z.string(), detail: z.string() }).nullable(),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'JobBulkAnswer' });
export type JobBulkAnswer = z.infer<typeof JobBulkAnswer>;
