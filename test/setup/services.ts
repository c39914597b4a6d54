import { readFileSync } from 'node:fs';

/** The suite's own services, as the runner started them. */
export interface TestServices {
  postgresAdminUrl: string;
  redisUrl: string;
  temporalAddress: string;
  s3: { endpoint: string; accessKeyId: string; secretAccessKey: string };
  /** Path of the time-skipping test server's program. */
  temporalTestServer: string;
  elasticsearch: { statusFile: string };
}

const file = process.env.HOMING_TEST_SERVICES;
if (!file) throw new Error('Run the suite by `npm test`: it brings up the services that the tests need.');
export const services = JSON.parse(readFileSync(file, 'utf8')) as TestServices;
