import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './command.ts';
import type { Context } from './context.ts';

/** Full path of a program on PATH, or in one of the further folders. */
export function findProgram(name: string, context: Context, folders: readonly string[] = []): string | undefined {
  return findPrograms(name, context, folders)[0];
}

/** Every one of that name, PATH first. */
export function findPrograms(name: string, context: Context, folders: readonly string[] = []): string[] {
  const onPath = (context.env.PATH ?? '').split(delimiter).filter(Boolean);
  return [...onPath, ...folders].map((folder) => join(folder, name)).filter(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Folders that match `<parent>/<name>/<rest>`, those with the highest number first. */
export function versionedFolders(parent: string, name: RegExp, rest = ''): string[] {
  try {
    const names = readdirSync(parent).filter((entry) => name.test(entry));
    return names.sort((a, b) => numberIn(b) - numberIn(a)).map((entry) => join(parent, entry, rest));
  } catch {
    return [];
  }
}

function numberIn(text: string): number {
  return Number(/\d+/.exec(text)?.[0] ?? 0);
}

/** The first version in what a program prints about itself, as numbers; undefined where it does not run. */
export async function versionOf(
  program: string,
  context: Context,
  args: readonly string[] = ['--version'],
): Promise<number[] | undefined> {
  try {
    const lines: string[] = [];
    await run(program, args, context, { onLine: (line) => lines.push(line) });
    return parseVersion(lines.join('\n'));
  } catch {
    context.signal?.throwIfAborted();
    return undefined;
  }
}

export function parseVersion(text: string): number[] | undefined {
  return /(\d+)(?:\.(\d+))?(?:\.(\d+))?/
    .exec(text)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
}

/** Whether a version is the least one wanted or newer. */
export function isAtLeast(version: readonly number[] | undefined, least: readonly number[]): boolean {
  if (!version) return false;
  for (const [index, wanted] of least.entries()) {
    const part = version[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
