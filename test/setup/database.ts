import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../db/migrate.ts';
import { provisionDatabase } from '../../db/provision.ts';
import { services } from './services.ts';

const template = 'homing_template';
const passwords = { ownerPassword: 'test-owner', appPassword: 'test-app' };

/** Migrates one database that every test file's own is a copy of: a copy takes a fraction of a second. */
export async function createTemplate(): Promise<void> {
  const { ownerUrl } = await provisionDatabase({
    adminUrl: services.postgresAdminUrl,
    database: template,
    ...passwords,
  });
  await migrate({ ownerUrl });
}

export interface TestDatabase {
  url: string;
  ownerUrl: string;
  adminUrl: string;
  drop(): Promise<void>;
}

/** A database of one's own, migrated. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `homing_${randomBytes(6).toString('hex')}`;
  await asAdmin(`create database ${name} template ${template} owner homing_owner`);
  const urlOf = (user: string, password: string) => {
    const url = new URL(services.postgresAdminUrl);
    Object.assign(url, { username: user, password, pathname: `/${name}` });
    return url.href;
  };
  const admin = new URL(services.postgresAdminUrl);
  admin.pathname = `/${name}`;
  return {
    url: urlOf('homing_app', passwords.appPassword),
    ownerUrl: urlOf('homing_owner', passwords.ownerPassword),
    adminUrl: admin.href,
    drop: () => asAdmin(`drop database if exists ${name} with (force)`),
  };
}

async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client(services.postgresAdminUrl);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
