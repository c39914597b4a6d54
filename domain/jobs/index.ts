export { mendJobs } from './bulk.ts';
export { type JobDeps, askJob, listJobs, showJob } from './jobs.ts';
