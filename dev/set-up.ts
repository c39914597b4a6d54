import { migrate } from '../db/migrate.ts';
import { provisionDatabase } from '../db/provision.ts';
import { ensureBucket } from './services/s3.ts';

// The set-up job of compose.yaml: roles, database, schema and bucket, before the app's roles start. It may run again.

const need = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing`);
  return value;
};

const { ownerUrl } = await provisionDatabase({
  adminUrl: need('DATABASE_ADMIN_URL'),
  database: 'homing',
  ownerPassword: need('OWNER_PASSWORD'),
  appPassword: need('APP_PASSWORD'),
});
const migrated = await migrate({ ownerUrl });
const keys = { accessKeyId: need('AWS_ACCESS_KEY_ID'), secretAccessKey: need('AWS_SECRET_ACCESS_KEY') };
await ensureBucket({ endpoint: need('S3_ENDPOINT'), ...keys }, need('S3_BUCKET'));
process.stdout.write(`The database (${migrated.length} migrations run) and the bucket are ready.\n`);
