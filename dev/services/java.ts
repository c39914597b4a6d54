import { join } from 'node:path';
import type { Context } from './context.ts';
import { findPrograms, isAtLeast, parseVersion, versionedFolders } from './find.ts';
import { run } from './command.ts';

/** Home of a full JDK of at least that major version; undefined where this machine has none. */
export async function findJdk(least: number, context: Context): Promise<string | undefined> {
  const { JAVA_HOME } = context.env;
  const folders = [
    ...(JAVA_HOME ? [join(JAVA_HOME, 'bin')] : []),
    ...versionedFolders('/usr/lib/jvm', /\d/, 'bin'),
    ...versionedFolders('/Library/Java/JavaVirtualMachines', /\d/, 'Contents/Home/bin'),
  ];
  for (const java of findPrograms('java', context, folders)) {
    const home = await jdkHome(java, least, context);
    if (home) return home;
  }
  return undefined;
}

// The Java on PATH is often a link or a wrapper: it says itself where its home is. A runtime without the jlink and vector
// modules is not enough for Elasticsearch.
async function jdkHome(java: string, least: number, context: Context): Promise<string | undefined> {
  try {
    const lines: string[] = [];
    const onLine = (line: string) => lines.push(line);
    await run(java, ['-XshowSettings:properties', '-version'], context, { onLine });
    const property = (name: string) =>
      lines
        .map((line) => line.trim())
        .find((line) => line.startsWith(`${name} = `))
        ?.slice(name.length + 3);
    if (!isAtLeast(parseVersion(property('java.version') ?? ''), [least])) return undefined;
    const modules = await run(java, ['--list-modules'], context);
    return /jdk\.jlink/.test(modules) && /jdk\.incubator\.vector/.test(modules) ? property('java.home') : undefined;
  } catch {
    context.signal?.throwIfAborted();
    return undefined;
  }
}
