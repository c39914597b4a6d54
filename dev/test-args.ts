import { existsSync, globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

/** What `npm test -- …` was given. */
export interface TestArgs {
  /** Files, folders and globs: only the tests in them are meant. */
  named: string[];
  /** Those among them that are not there. Mocha would pass over them in silence and run everything else. */
  missing: string[];
}

/** Mocha's own list of options that stand alone, and of their short forms. */
const { types, aliases } = createRequire(import.meta.url)('mocha/lib/cli/run-option-metadata.cjs') as {
  types: Record<string, string[]>;
  aliases: Record<string, string[]>;
};
const alone = new Set((types.boolean ?? []).flatMap((name) => [name, ...(aliases[name] ?? [])]));

/** Tells apart the paths among mocha's arguments from its options and from what belongs to those. */
export function readTestArgs(args: readonly string[], root: string): TestArgs {
  const named = args.filter((arg, index) => !isOption(arg) && !takesNext(args[index - 1] ?? ''));
  return { named, missing: named.filter((path) => !isThere(path, root)) };
}

const isOption = (arg: string) => arg.startsWith('-');

function takesNext(arg: string): boolean {
  const name = arg.replace(/^--?(no-)?/, '');
  return isOption(arg) && !arg.includes('=') && !alone.has(name);
}

function isThere(path: string, root: string): boolean {
  return existsSync(resolve(root, path)) || globSync(path, { cwd: root }).length > 0;
}
