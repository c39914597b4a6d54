/** An S3 server and the keys to it. */
export interface S3Access {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/**
 * Services that the environment names: nothing is started for these. A group that is given in part is a mistake that would
 * otherwise show up as a surprise much later.
 */
export interface Given {
  postgres?: { url: string; ownerUrl: string };
  redisUrl?: string;
  temporalAddress?: string;
  s3?: S3Access;
  elasticsearchUrl?: string;
}

/** Reads the addresses out of the environment; throws when a group is incomplete. */
export function givenServices(env: NodeJS.ProcessEnv): Given {
  const postgres = group(env, 'DATABASE_URL', 'DATABASE_OWNER_URL');
  // The keys alone are common on a developer's machine and mean AWS, not a server to use here.
  const s3 = env.S3_ENDPOINT ? group(env, 'S3_ENDPOINT', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY') : undefined;
  return {
    ...(postgres ? { postgres: { url: postgres[0], ownerUrl: postgres[1] } } : {}),
    ...(s3 ? { s3: { endpoint: s3[0], accessKeyId: s3[1], secretAccessKey: s3[2] } } : {}),
    ...(env.REDIS_URL ? { redisUrl: env.REDIS_URL } : {}),
    ...(env.TEMPORAL_ADDRESS ? { temporalAddress: env.TEMPORAL_ADDRESS } : {}),
    ...(env.ELASTICSEARCH_URL ? { elasticsearchUrl: env.ELASTICSEARCH_URL } : {}),
  };
}

function group<Names extends string[]>(
  env: NodeJS.ProcessEnv,
  ...names: Names
): { [Index in keyof Names]: string } | undefined {
  const values = names.map((name) => env[name]);
  if (values.every((value) => !value)) return undefined;
  const missing = names.filter((_, index) => !values[index]);
  if (missing.length > 0) throw new Error(`${names.join(', ')} belong together: ${missing.join(' and ')} is missing`);
  return values as { [Index in keyof Names]: string };
}

/** Waits a few seconds for a given service; rejects with its name and address, without its password. */
export async function checkGiven(name: string, address: string, answers: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    try {
      await answers();
      return;
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`${name} does not answer at ${withoutPassword(address)}: ${(error as Error).message}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

/** An address as it may be printed. */
export function withoutPassword(address: string): string {
  return address.replace(/\/\/([^/@:]*):[^/@]*@/, '//$1:…@');
}
