import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, contextOf, type Options } from './context.ts';
import { findProgram, versionOf } from './find.ts';
import type { S3Access } from './given.ts';
import { goBuild } from './go.ts';
import { obtain, type Program, vendorRelease } from './obtain.ts';
import { pins } from './pins.ts';
import { plainEnv, type Running, startProcess } from './process.ts';

const { goPackage, releases, version } = pins.versitygw;

export interface S3Obtaining extends Options {
  /** Building begins only after this, which must not reject. Finding and fetching do not wait. */
  buildAfter?: Promise<unknown>;
}

/** Finds versitygw, an S3 server on plain files. */
export async function obtainS3({ buildAfter, ...options }: S3Obtaining = {}): Promise<Program> {
  const fill = async (folder: string, context: Context) => {
    await buildAfter;
    await build(folder, context);
  };
  return obtain(
    {
      name: 'versitygw (S3)',
      entry: `versitygw-${version}`,
      binary: 'versitygw',
      onMachine: async (context) => {
        const found = findProgram('versitygw', context);
        return found && (await versionOf(found, context)) ? found : undefined;
      },
      ways: [vendorRelease(releases, 1), { name: 'source, by Go', fill }],
      remedy: `go install ${goPackage}@v${version} (Go 1.24 or newer), or set S3_ENDPOINT with its keys to one that runs`,
    },
    contextOf(options),
  );
}

async function build(folder: string, context: Context): Promise<void> {
  const packagesAbout = 700;
  await goBuild(
    `versitygw ${version}`,
    'install',
    [`${goPackage}@v${version}`],
    { cwd: folder, env: { GOBIN: folder }, packagesAbout },
    context,
  );
}

export interface S3Start extends Options {
  program: Program;
  /** Folder of its data, made when missing; each bucket is a folder in it. */
  dir: string;
  port: number;
  logFile: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/** A running S3 server. */
export interface RunningS3 extends Running {
  endpoint: string;
}

/** Starts the S3 server on 127.0.0.1, and resolves when it answers. Buckets are the caller's to make. */
export async function startS3(options: S3Start): Promise<RunningS3> {
  const { program, dir, port, logFile } = options;
  const { env, signal } = contextOf(options);
  const [data, versions] = [join(dir, 'data'), join(dir, 'versions')];
  await Promise.all([data, versions].map((folder) => mkdir(folder, { recursive: true })));
  const endpoint = `http://127.0.0.1:${port}`;
  const running = await startProcess({
    name: 's3',
    command: program.path,
    args: [
      '--port',
      `127.0.0.1:${port}`,
      '--quiet',
      '--health',
      '/health',
      'posix',
      '--versioning-dir',
      versions,
      data,
    ],
    // By environment: arguments can be read by every account of the machine.
    env: plainEnv(env, { ROOT_ACCESS_KEY_ID: options.accessKeyId, ROOT_SECRET_ACCESS_KEY: options.secretAccessKey }),
    logFile,
    answers: () => reachS3(endpoint),
    answersWithinMs: 30_000,
    signal,
  });
  return { ...running, endpoint };
}

/** Makes a bucket where it is missing. */
export async function ensureBucket(access: S3Access, bucket: string): Promise<void> {
  const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
  const { endpoint, ...credentials } = access;
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!(error as Error).name.startsWith('BucketAlready')) throw error;
  } finally {
    client.destroy();
  }
}

/** Resolves when an HTTP server answers at the endpoint, be it only to say that we must sign. */
export async function reachS3(endpoint: string): Promise<void> {
  const response = await fetch(endpoint, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  if (response.status >= 500) throw new Error(`${endpoint} answers ${response.status}`);
}
