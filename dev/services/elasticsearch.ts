import { cpSync, existsSync, lchownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Account, reachableFolder, serviceAccount } from './account.ts';
import { cacheFolder, type Context, contextOf, type Options } from './context.ts';
import { findJdk } from './java.ts';
import { obtain, type Program, vendorRelease } from './obtain.ts';
import { pins } from './pins.ts';
import { plainEnv, type Running, startProcess } from './process.ts';
import { maven } from './registries.ts';

const { releases, version, mavenArtifact } = pins.elasticsearch;
const leastJdk = 21;
const remedy = `install a JDK of version ${leastJdk} or newer and Maven, or set ELASTICSEARCH_URL to one that runs`;

// SonarQube's distribution has the server without its shell commands; the launcher is in both.
const launcher = join('lib', 'tools', 'server-launcher');

/** With these of its modules alone the server is smaller and quicker, and still does what a search backend needs. */
const keptModules = new Set([
  ...['apm', 'transport-netty4', 'rest-root', 'reindex', 'analysis-common', 'lang-painless', 'aggregations'],
  ...['parent-join', 'ingest-common', 'dot-prefix-validation', 'x-pack-core', 'x-pack-security'],
]);

/**
 * Finds Elasticsearch: `path` is its launcher, three folders below its home. Elastic License 2.0: fetched to this machine,
 * never shipped.
 */
export async function obtainElasticsearch(options: Options = {}): Promise<Program> {
  const context = contextOf(options);
  return obtain(
    {
      name: 'Elasticsearch',
      cache: reachableFolder(cacheFolder(context.env), serviceAccount(), context.report),
      entry: `elasticsearch-${version}`,
      binary: launcher,
      // A distribution package's own folders belong to its service; a plain program on PATH is rare. Give its address.
      onMachine: async () => undefined,
      ways: [vendorRelease(releases, 1), { name: "Maven (SonarQube's distribution)", fill: unpackFromMaven }],
      remedy,
    },
    context,
  );
}

async function unpackFromMaven(folder: string, context: Context): Promise<void> {
  // Before a gigabyte is fetched: it would be of no use.
  if (!(await findJdk(leastJdk, context))) throw new Error(`there is no JDK of version ${leastJdk} or newer`);
  const unpacked = join(folder, 'unpacked');
  const properties = {
    artifact: mavenArtifact,
    outputDirectory: unpacked,
    'mdep.unpack.includes': 'sonarqube-*/elasticsearch/**',
    // Of its own, so that the archive, which is needed once, does not stay.
    'maven.repo.local': join(folder, 'repository'),
  };
  await maven('unpack', properties, `Elasticsearch ${version}, about 950 MB`, folder, context);
  const [sonarqube = ''] = await readdir(unpacked);
  const home = join(unpacked, sonarqube, 'elasticsearch');
  for (const entry of await readdir(home)) await rename(join(home, entry), join(folder, entry));
  await Promise.all(['unpacked', 'repository'].map((name) => rm(join(folder, name), { recursive: true })));
  for (const name of await readdir(join(folder, 'modules'))) {
    if (!keptModules.has(name)) await rm(join(folder, 'modules', name), { recursive: true });
  }
}

export interface ElasticsearchStart extends Options {
  program: Program;
  /** Folder of its data, settings and logs; made when missing. */
  dir: string;
  port: number;
  /** Port that nodes talk on; only this node does. */
  transportPort: number;
  logFile: string;
  /** Such as 256m. */
  heap?: string;
}

/** A running Elasticsearch. */
export interface RunningElasticsearch extends Running {
  url: string;
}

/** Starts one node on 127.0.0.1 without security, and resolves when its cluster is ready. Takes 20 to 60 s. */
export async function startElasticsearch(options: ElasticsearchStart): Promise<RunningElasticsearch> {
  const context = contextOf(options);
  const home = resolve(options.program.path, '../../..');
  const ownJdk = join(home, 'jdk');
  const jdk = existsSync(ownJdk) ? ownJdk : await findJdk(leastJdk, context);
  if (!jdk) throw new Error(`Elasticsearch needs Java. Remedy: ${remedy}`);
  const account = serviceAccount();
  const folder = elasticsearchFolder(options.dir, context);
  prepare(options, home, folder, account);
  const heap = options.heap ?? '256m';
  const url = `http://127.0.0.1:${options.port}`;
  const running = await startProcess({
    name: 'elasticsearch',
    command: join(jdk, 'bin', 'java'),
    // As bin/elasticsearch does, without its shell: one process to signal.
    args: [
      ...['-Xms4m', '-Xmx64m', '-XX:+UseSerialGC', '-cp', join(home, launcher, '*')],
      'org.elasticsearch.server.launcher.ServerLauncher',
    ],
    cwd: home,
    env: plainEnv(context.env, {
      HOME: folder,
      HOSTNAME: 'localhost',
      JAVA: join(jdk, 'bin', 'java'),
      JAVA_TYPE: 'ES_JAVA_HOME',
      ES_JAVA_HOME: jdk,
      ES_HOME: home,
      ES_PATH_CONF: join(folder, 'config'),
      ES_TMPDIR: join(folder, 'tmp'),
      ES_DISTRIBUTION_TYPE: 'zip',
      ES_JAVA_OPTS: `-Xms${heap} -Xmx${heap} -XX:-AlwaysPreTouch -XX:TieredStopAtLevel=1`,
    }),
    account,
    logFile: options.logFile,
    answers: () => reachElasticsearch(url),
    answersWithinMs: 180_000,
    signal: context.signal,
  });
  return { ...running, url };
}

/** Where the data of a wanted folder is kept: elsewhere where the account that runs it cannot reach that. */
function elasticsearchFolder(dir: string, options: Options = {}): string {
  const folder = reachableFolder(dir, serviceAccount(), contextOf(options).report);
  return folder === dir ? dir : join(folder, 'elasticsearch');
}

function prepare(options: ElasticsearchStart, home: string, folder: string, account: Account | undefined): void {
  const config = join(folder, 'config');
  for (const name of ['config', 'tmp', 'nodes', 'logs']) mkdirSync(join(folder, name), { recursive: true });
  cpSync(join(home, 'config', 'log4j2.properties'), join(config, 'log4j2.properties'));
  // The lines that write into the home's own logs would be refused there.
  const jvm = readFileSync(join(home, 'config', 'jvm.options'), 'utf8').split('\n');
  writeFileSync(
    join(config, 'jvm.options'),
    jvm.filter((line) => !/^-Xlog:gc|HeapDump|logs\/|gc\.log/.test(line)).join('\n'),
  );
  writeFileSync(join(config, 'elasticsearch.yml'), settings(options, home, folder));
  if (account) giveTo(folder, account);
}

function settings({ port, transportPort }: ElasticsearchStart, home: string, folder: string): string {
  const has = (module: string) => existsSync(join(home, 'modules', module));
  const lines = {
    'cluster.name': 'homing',
    'node.name': 'node-1',
    'network.host': '127.0.0.1',
    'http.port': port,
    'transport.port': transportPort,
    'discovery.type': 'single-node',
    'xpack.security.enabled': false,
    'path.data': JSON.stringify(join(folder, 'nodes')),
    'path.logs': JSON.stringify(join(folder, 'logs')),
    // A developer's disk is often nearly full, and that is no reason to refuse to write.
    'cluster.routing.allocation.disk.threshold_enabled': false,
    'action.destructive_requires_name': false,
    'node.store.allow_mmap': false,
    ...(has('ingest-geoip') ? { 'ingest.geoip.downloader.enabled': false } : {}),
    ...(has('x-pack-ml') ? { 'xpack.ml.enabled': false } : {}),
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}

function giveTo(folder: string, { uid, gid }: Account): void {
  lchownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), uid, gid);
  }
}

/** Resolves when Elasticsearch answers at the address and its cluster can serve. */
export async function reachElasticsearch(url: string): Promise<void> {
  const { username, password, origin } = new URL(url);
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const response = await fetch(`${origin}/_cluster/health?wait_for_status=yellow&timeout=1s`, {
    headers: username ? { authorization: `Basic ${basic}` } : {},
    signal: AbortSignal.timeout(3_000),
  });
  await response.body?.cancel();
  if (response.status !== 200) throw new Error(`${origin} answers ${response.status}`);
}
