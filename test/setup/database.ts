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
  // Of two lines of defence each must hold by itself: the guards are tried alone so.
  if (process.env.HOMING_SECOND_LINE === 'off') await asAdmin(withoutPolicies, urlOfTemplate());
}

const urlOfTemplate = () => Object.assign(new URL(services.postgresAdminUrl), { pathname: `/${template}` }).href;

// Policies, what they cannot see and triggers refuse, and rights that are withheld.
const withoutPolicies = `
  do $$ declare t text; held record; begin
    for t in select distinct tablename from pg_policies loop
      execute format('alter table %I disable row level security', t);
    end loop;
    for held in select tgname, tgrelid::regclass as of from pg_trigger
      join pg_proc p on p.oid = tgfoid where p.proname like 'refuse%' loop
      execute format('alter table %s disable trigger %I', held.of, held.tgname);
    end loop;
    grant all privileges on all tables in schema public to homing_person;
  end $$`;

export interface TestDatabase {
  url: string;
  ownerUrl: string;
  adminUrl: string;
  /** One statement as the superuser: for what no interface does, such as letting time pass. */
  run(statement: string): Promise<pg.QueryResult>;
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
    run: (statement) => asAdmin(statement, admin.href),
    drop: async () => void (await asAdmin(`drop database if exists ${name} with (force)`)),
  };
}

async function asAdmin(statement: string, url = services.postgresAdminUrl): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}
