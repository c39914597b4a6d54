import { join } from 'node:path';
import { run } from './command.ts';
import { type Context, contextOf, type Options } from './context.ts';
import { findProgram, isAtLeast, parseVersion } from './find.ts';
import { obtain, type Program, vendorRelease } from './obtain.ts';
import { pins } from './pins.ts';
import { maven, writeScript } from './registries.ts';

const { releases, version } = pins.temporalTestServer;

/**
 * Finds Temporal's time-skipping test server. The program takes the port as its argument; the SDK starts it itself:
 * `TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } })`.
 */
export async function obtainTemporalTestServer(options: Options = {}): Promise<Program> {
  return obtain(
    {
      name: "Temporal's test server",
      entry: `temporal-test-server-${version}`,
      binary: 'temporal-test-server',
      onMachine: async (context) => findProgram('temporal-test-server', context),
      ways: [vendorRelease(releases, 1), { name: 'Maven, with Java', fill: fetchJars }],
      remedy: 'install Java 11 or newer and Maven (Debian: apt-get install default-jre-headless maven)',
    },
    contextOf(options),
  );
}

async function fetchJars(folder: string, context: Context): Promise<void> {
  const java = findProgram('java', context);
  if (!java || !isAtLeast(await javaVersion(java, context), [11])) throw new Error('there is no Java 11 or newer');
  const jars = { outputDirectory: join(folder, 'lib'), includeScope: 'runtime' };
  await maven('copy-dependencies', jars, `the test server ${version}`, folder, context, 'temporal-test-server.xml');
  await writeScript(join(folder, 'temporal-test-server'), script);
}

async function javaVersion(java: string, context: Context): Promise<number[] | undefined> {
  let first: string | undefined;
  await run(java, ['-version'], context, { onLine: (line) => (first ??= line) });
  return first ? parseVersion(first) : undefined;
}

// The SDK waits five seconds for it, so everything here is for a quick start: one garbage collector thread, the quick
// compiler only, and an archive of the loaded classes that the first start leaves for the next.
const script = `#!/bin/sh
here="$(cd "$(dirname "$0")" && pwd)"
exec "\${TEST_SERVER_JAVA:-java}" -Xms32m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto \\
  -Djava.net.preferIPv4Stack=true -cp "$here/lib/*" io.temporal.testserver.TestServer "$@"
`;
