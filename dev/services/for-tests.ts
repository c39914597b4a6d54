import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where the test runner says how far a service is that it brings up beside the run. */
export type ServiceStatus =
  | { state: 'starting' }
  | { state: 'up'; url: string }
  | { state: 'failed'; remedy: string }
  | { state: 'left out' };

/** Written aside and renamed, so that no reader sees half of it. */
export function writeStatus(statusFile: string, status: ServiceStatus): void {
  writeFileSync(`${statusFile}.part`, JSON.stringify(status));
  renameSync(`${statusFile}.part`, statusFile);
}

/**
 * Address of the suite's own Elasticsearch, for the one suite that needs it: waits until it is up, which takes 20 s to 60 s
 * and, on a machine that never had it, as long as fetching it takes. So call it in a `before` with `this.timeout(0)`.
 * Undefined where the person left the engine out by HOMING_WITHOUT=elasticsearch: then `this.skip()`. Rejects with the
 * remedy where it cannot be had.
 */
export async function elasticsearchForTests(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const file = env.HOMING_TEST_SERVICES;
  if (!file) throw new Error('Run the suite by `npm test`: it brings up the services that the tests need.');
  const { elasticsearch } = JSON.parse(readFileSync(file, 'utf8')) as { elasticsearch: { statusFile: string } };
  writeFileSync(wantedFile(elasticsearch.statusFile), '');
  for (;;) {
    const status = JSON.parse(readFileSync(elasticsearch.statusFile, 'utf8')) as ServiceStatus;
    if (status.state === 'up') return status.url;
    if (status.state === 'left out') return undefined;
    if (status.state === 'failed') throw new Error(`Elasticsearch was not run. ${status.remedy}`);
    await sleep(200);
  }
}

/** Its being there says that a suite waits for the service. */
export function wantedFile(statusFile: string): string {
  return `${statusFile}.wanted`;
}
