/**
 * Who may import whom.
 *
 * Two tables. `rows` grants: each folder has one row, and what the row does not name is forbidden, so a new folder or a
 * new arrow is a decision and never an accident. `nevers` forbids across rows, for the arrows whose reason deserves a
 * name of its own. An arrow is good when no `never` matches it and its row grants it.
 *
 * A place is a path from the root of the repository, `npm:<package>` or `node:<module>`. `*` stands for one name, `**`
 * for any depth, `{a,b}` for either; `$1` is what the first `*` or `{}` of `from` stood for. Two words may precede a
 * granted place:
 *
 * - `type`: by `import type` only (an `import { type X }` loads the file when the program runs, so it does not count);
 * - `pure`: as a type, or as a value when the file reaches no package by its own value imports.
 */
export type Row = {
  readonly name: string;
  readonly from: string;
  readonly may: readonly string[];
  readonly why: string;
};

/** An arrow that is forbidden whatever the row of the folder says. */
export type Never = {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly except?: readonly string[];
  readonly unlessFrom?: readonly string[];
  readonly why: string;
};

/** Packages, Node, and the name and version of the project. */
const libraries = ['npm:**', 'node:**', 'package.json'];
const domainByDoor = ['domain/*.ts', 'domain/*/index.ts'];
const tests = ['test/**', '**.test.ts'];

/** The first row whose `from` matches a file is the row of that file. */
export const rows: readonly Row[] = [
  {
    name: 'tests-may-look-anywhere',
    from: '{test/**,**.test.ts}',
    may: ['**'],
    why: 'A test builds what it needs from any layer.',
  },
  {
    name: 'one-composition-root',
    from: '*.ts',
    may: ['**'],
    why: 'The root builds what is real and starts every role, so it knows every role.',
  },
  {
    name: 'contracts-are-pure',
    from: 'contracts/**',
    may: ['contracts/**', 'npm:zod', 'type npm:zod-openapi'],
    why: 'What crosses a border is loaded by the browser, the client and the workflow sandbox alike.',
  },
  {
    name: 'migrations-stand-alone',
    from: 'db/migrations/**',
    may: ['npm:knex', 'node:**'],
    why: 'A migration must still mean next year what it meant when it was written.',
  },
  {
    name: 'db-sits-on-contracts',
    from: 'db/**',
    may: ['contracts/**', 'db/**', 'npm:{knex,pg}', 'node:**'],
    why: 'Storage serves the business and knows neither it nor the doors.',
  },
  {
    name: 'domain-knows-no-edge',
    from: 'domain/*/**',
    may: ['contracts/**', 'db/**', 'domain/$1/**', ...domainByDoor, ...libraries],
    why: 'The rules of the business hold for every door, so they know none.',
  },
  {
    name: 'domain-knows-no-edge',
    from: 'domain/*.ts',
    may: ['contracts/**', 'db/**', ...domainByDoor, ...libraries],
    why: 'The rules of the business hold for every door, so they know none.',
  },
  {
    name: 'platform-supplies-deps',
    from: 'platform/**',
    may: ['contracts/**', 'platform/**', 'type domain/deps.ts', ...libraries],
    why: 'It supplies what the domain asks for and learns nothing else about the domain.',
  },
  {
    name: 'mains-are-handed-the-runtime',
    from: '{api,realtime}/main.ts',
    may: ['contracts/**', '$1/**', 'type runtime.ts', ...domainByDoor, 'platform/**', 'temporal/**', ...libraries],
    why: 'A main fits a role together from what the root built; it asks the domain, never the tables.',
  },
  {
    name: 'doors-are-thin',
    from: '{api,realtime}/**',
    may: ['contracts/**', '$1/**', ...domainByDoor, ...libraries],
    why: 'A door checks, calls one domain function and maps the answer; what it uses is handed to it.',
  },
  {
    name: 'activities-are-thin',
    from: 'activities/**',
    may: ['contracts/**', 'activities/**', ...domainByDoor, 'npm:@temporalio/{activity,common}', 'node:**'],
    why: 'An activity is a door for workflows and as thin as the others.',
  },
  {
    name: 'workflow-sandbox',
    from: 'workflows/**',
    may: ['workflows/**', 'pure contracts/**', 'type activities/**', 'npm:@temporalio/{workflow,common}'],
    why: 'A workflow is replayed in a sandbox: what it loads must be deterministic and small.',
  },
  {
    name: 'temporal-starts-by-name',
    from: 'temporal/**',
    may: [
      'contracts/**',
      'temporal/**',
      'platform/config.ts',
      'type domain/**',
      'type activities/**',
      'type workflows/**',
      ...libraries,
    ],
    why: 'It starts workflows by name and contract; loading their code would tie every process to it.',
  },
  {
    name: 'workers-run-everything-but-workflows',
    from: 'workers/**',
    may: [
      'contracts/**',
      'db/**',
      'domain/**',
      'platform/**',
      'temporal/**',
      'activities/**',
      'workers/**',
      'type runtime.ts',
      ...libraries,
    ],
    why: 'Workflows reach the worker as a path to a bundle, or they would run outside their sandbox.',
  },
  {
    name: 'clients-know-contracts',
    from: 'web/**',
    may: ['contracts/**', 'web/**', 'npm:**'],
    why: 'What runs at the user may know only what the server promises.',
  },
  {
    name: 'the-client-carries-no-schemas',
    from: 'sdk/**',
    may: ['pure contracts/**', 'sdk/**', 'npm:socket.io-client', 'type npm:zod'],
    why: 'It is loaded by every page and bot: it takes types and plain numbers from the contracts, not zod.',
  },
  {
    name: 'examples-use-the-front-door',
    from: 'docs/examples/**',
    may: ['sdk/index.ts', 'node:**'],
    why: 'An example that reaches further shows what nobody else can do.',
  },
  {
    name: 'cli-serves-operators',
    from: 'cli/**',
    may: ['cli/**', 'contracts/**', 'db/**', 'domain/**', 'platform/**', 'temporal/**', ...libraries],
    why: 'The operator works on rows and workflows, never through the doors of users.',
  },
  {
    name: 'sandbox-stands-outside',
    from: 'sandbox/**',
    may: ['sandbox/**', ...libraries],
    why: 'It stands in for providers; sharing our code it would share our mistakes about them.',
  },
  {
    name: 'dev-starts-processes',
    from: 'dev/**',
    may: [
      'dev/**',
      'contracts/**',
      'sandbox/**',
      'db/provision.ts',
      'db/migrate.ts',
      'platform/{dev-secrets,config-types}.ts',
      'scripts/lock.mjs',
      ...libraries,
    ],
    why: 'Development runs the same processes as production, from outside.',
  },
  {
    name: 'references-do-a-part-of-the-work',
    from: 'bench/references/**',
    may: ['bench/**', 'contracts/**', 'db/**', 'domain/**', 'platform/**', 'temporal/**', 'runtime.ts', ...libraries],
    why: 'What is measured against the product is made of its parts, or of others; the doors are what it leaves out.',
  },
  {
    name: 'bench-measures-the-house',
    from: 'bench/**',
    may: [
      'bench/**',
      'contracts/**',
      'db/**',
      'domain/**',
      'platform/**',
      'dev/**',
      'sandbox/index.ts',
      'sdk/**',
      ...libraries,
    ],
    why: 'It measures what is served, from outside or by the same functions that the doors call; it is no door itself.',
  },
  {
    name: 'generators-print-what-is',
    from: 'scripts/gen.ts',
    may: ['scripts/**', 'contracts/**', 'platform/env-example.ts', 'api/{openapi,asyncapi}.ts', ...libraries],
    why: 'What is generated from must be plain data, or generating would start the house.',
  },
  {
    name: 'generators-print-what-is',
    from: 'scripts/common-passwords.ts',
    may: ['platform/common-passwords.ts', ...libraries],
    why: 'Who makes a list and who looks into it must agree on what stands there.',
  },
  {
    name: 'scripts-stand-alone',
    from: 'scripts/**',
    may: ['scripts/**', 'type dev/mocha-reporter.ts', ...libraries],
    why: 'A check that imports what it checks fails with it.',
  },
];

/** Arrows whose reason deserves its own name; they are asked before the rows. */
export const nevers: readonly Never[] = [
  {
    name: 'scopes-are-made-by-access',
    from: '**',
    to: 'db/read-scope.ts',
    unlessFrom: ['domain/access/**', 'db/queries/**', 'bench/**', ...tests],
    why: 'That somebody may read a conversation is judged in one place; whoever else makes a scope has judged nothing.',
  },
  {
    name: 'nothing-imports-tests',
    from: '**',
    to: '{test/**,**.test.ts}',
    unlessFrom: tests,
    why: 'Code that needs a test to run is not finished.',
  },
  {
    name: 'nothing-imports-migrations',
    from: '**',
    to: 'db/migrations/**',
    unlessFrom: tests,
    why: 'Migrations are history: they are run in order and never built upon.',
  },
  {
    name: 'sql-lives-in-db',
    from: '**',
    to: 'npm:{knex,pg}',
    // Development starts a server and has to ask whether it answers; what speaks in the clear asks where an address leads.
    // So has a benchmark's reference that is built in another way, to be measured against.
    unlessFrom: ['platform/in-the-clear.ts', 'db/**', 'dev/services/postgres.ts', 'bench/references/**', ...tests],
    why: 'Every statement of the system can be read in one folder.',
  },
  {
    name: 'workflows-stay-in-their-sandbox',
    from: '**',
    to: 'npm:@temporalio/workflow',
    unlessFrom: ['workflows/**', 'bench/references/per-message/workflow.ts', ...tests],
    why: 'Outside a workflow this package throws when it is called.',
  },
  {
    name: 'domain-knows-no-transport',
    from: 'domain/**',
    to: 'npm:{express,socket.io,socket.io-client,ioredis,firebase-admin,twilio,winston,passport,prom-client}',
    unlessFrom: tests,
    why: 'The domain says what it needs as types; who supplies it is decided in a main.',
  },
  {
    name: 'domain-knows-no-transport',
    from: 'domain/**',
    to: 'npm:@{temporalio,aws-sdk,elastic,sendgrid,socket.io}/**',
    unlessFrom: tests,
    why: 'The domain says what it needs as types; who supplies it is decided in a main.',
  },
  {
    name: 'features-meet-at-index',
    from: 'domain/*/**',
    to: 'domain/*/**',
    except: ['domain/$1/**', 'domain/*/index.ts'],
    unlessFrom: tests,
    why: 'A feature is used by its index, so that its inside may change.',
  },
  {
    name: 'doors-use-the-index',
    from: '{api,realtime,activities}/**',
    to: 'domain/*/**',
    except: ['domain/*/index.ts'],
    unlessFrom: tests,
    why: 'A door calls what a feature offers, not how it is made.',
  },
  {
    name: 'edges-are-siblings',
    from: '{api,realtime,activities}/**',
    to: '{api,realtime,activities,workflows,workers}/**',
    except: ['$1/**'],
    unlessFrom: tests,
    why: 'The doors share a room, not a wall: what two of them need belongs to the domain.',
  },
  {
    name: 'doors-do-not-wait-for-temporal',
    from: '{api,realtime}/**',
    to: 'npm:@temporalio/**',
    unlessFrom: tests,
    why: 'A request never waits for Temporal; what it owes goes to the outbox.',
  },
  {
    name: 'requests-leave-by-one-door',
    from: '{activities,api,cli,contracts,db,domain,platform,realtime,temporal,workers,workflows}/**',
    to: 'npm:{undici,axios,got,ky,needle,node-fetch,request,superagent}',
    unlessFrom: ['platform/egress.ts', ...tests],
    why: 'A request that does not leave by platform/egress.ts goes wherever somebody’s address says, inside too.',
  },
];
