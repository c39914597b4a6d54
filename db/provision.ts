import pg from 'pg';

export interface Provisioning {
  /** A superuser's address; any database of the cluster. */
  adminUrl: string;
  database: string;
  ownerPassword: string;
  appPassword: string;
}

/**
 * Makes the roles and the database when they are missing, and sets the passwords. `homing_owner` owns the schema and
 * migrates; `homing_app` is what the processes use, and `homing_person` what they become for as long as they do what one
 * person asks for: nobody signs in as it. Answers with the address of the two that one can sign in as.
 */
export async function provisionDatabase(options: Provisioning): Promise<{ ownerUrl: string; appUrl: string }> {
  const client = new pg.Client({ connectionString: options.adminUrl });
  await client.connect();
  try {
    await ensureRole(client, 'homing_owner', options.ownerPassword);
    await ensureRole(client, 'homing_app', options.appPassword);
    await preferIndexes(client, 'homing_app');
    await ensurePersonRole(client);
    await ensureDatabase(client, options.database);
  } finally {
    await client.end();
  }
  return {
    ownerUrl: addressFor(options, 'homing_owner', options.ownerPassword),
    appUrl: addressFor(options, 'homing_app', options.appPassword),
  };
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const name = client.escapeIdentifier(role);
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
  if (rowCount === 0) await client.query(`create role ${name} login`);
  await client.query(`alter role ${name} login password ${client.escapeLiteral(password)}`);
}

async function ensurePersonRole(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query(`select 1 from pg_roles where rolname = 'homing_person'`);
  if (rowCount === 0) await client.query('create role homing_person nologin');
  await client.query('grant homing_person to homing_app');
}

/**
 * Every statement of the application finds its rows by an index. Plans are kept for as long as a connection lives, and
 * one that was made while a table was small would read it whole for ever after; compiling a plan takes longer than most
 * of them run. As settings of the role they hold behind a connection pooler too.
 */
async function preferIndexes(client: pg.Client, role: string): Promise<void> {
  const settings = { enable_seqscan: 'off', random_page_cost: '1.1', jit: 'off' };
  for (const [name, value] of Object.entries(settings)) {
    await client.query(`alter role ${client.escapeIdentifier(role)} set ${name} = ${client.escapeLiteral(value)}`);
  }
}

async function ensureDatabase(client: pg.Client, database: string): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
  if (rowCount === 0) {
    await client.query(
      `create database ${client.escapeIdentifier(database)} owner homing_owner encoding 'UTF8' template template0`,
    );
  }
}

function addressFor(options: Provisioning, user: string, password: string): string {
  const url = new URL(options.adminUrl);
  url.username = user;
  url.password = password;
  url.pathname = `/${options.database}`;
  return url.href;
}
