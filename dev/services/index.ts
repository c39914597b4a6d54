export { removeFolder } from './account.ts';
export { obtainChromium } from './chromium.ts';
export {
  type ElasticsearchStart,
  obtainElasticsearch,
  reachElasticsearch,
  type RunningElasticsearch,
  startElasticsearch,
} from './elasticsearch.ts';
export { root, type Context, contextOf, type Options, type Report } from './context.ts';
export { type Program, Unobtainable } from './obtain.ts';
export { freePort, freePorts } from './ports.ts';
export {
  obtainPostgres,
  type PostgresStart,
  queryPostgres,
  type RunningPostgres,
  startPostgres,
} from './postgres.ts';
export { journalFor, keepJournal, leftBehind, stopLeftBehind } from './journal.ts';
export { describeExit, type Exit, plainEnv, type Running, startProcess } from './process.ts';
export { obtainRedis, pingRedis, type RedisStart, type RunningRedis, startRedis } from './redis.ts';
export { ensureBucket, obtainS3, reachS3, type RunningS3, type S3Start, startS3 } from './s3.ts';
export { obtainTemporal, reachTemporal, type RunningTemporal, startTemporal, type TemporalStart } from './temporal.ts';
export { obtainTemporalTestServer } from './temporal-test-server.ts';
