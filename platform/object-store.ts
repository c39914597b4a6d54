import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';

export interface ObjectStoreOptions {
  endpoint: string | undefined;
  /** The one CA that is believed; undefined: those that the machine believes. */
  ca: string | undefined;
  bucket: string;
  region: string;
  accessKeyId: string | undefined;
  secretAccessKey: string | undefined;
}

/** The bucket that media lives in. */
export interface ObjectStore {
  /** Makes the bucket when it is missing; for development, where nobody provisions it. */
  ensureBucket(): Promise<void>;
  check(): Promise<void>;
  close(): void;
}

export function openObjectStore(options: ObjectStoreOptions): ObjectStore {
  const { endpoint, ca, bucket: Bucket, region, accessKeyId, secretAccessKey } = options;
  const client = new S3Client({
    region,
    // A server of one's own has no host name for each bucket.
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
    ...(ca ? { requestHandler: { httpsAgent: { ca } } } : {}),
    // Presigned links otherwise carry the checksum of an empty body.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 3,
  });
  const check = async () => {
    await client.send(new HeadBucketCommand({ Bucket }));
  };
  return {
    check,
    async ensureBucket() {
      try {
        await check();
      } catch {
        await client.send(new CreateBucketCommand({ Bucket })).catch((error: Error) => {
          if (!/BucketAlready/.test(error.name)) throw error;
        });
      }
    },
    close: () => client.destroy(),
  };
}
