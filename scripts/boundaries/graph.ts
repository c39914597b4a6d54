import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { parseSync } from 'oxc-parser';
import { type Found, readImports } from './read-imports.ts';
import { readUses } from './read-uses.ts';

/** An arrow of the graph. `to` is a path from the root, `npm:<package>` or `node:<module>`. */
export type Arrow = {
  readonly from: string;
  readonly to: string;
  readonly kind: 'value' | 'type';
  readonly line: number;
};

/** A place in a file with what was found there. */
export type Sight = { readonly file: string; readonly line: number; readonly what: string };

/** Everything that the rules look at. */
export type Graph = {
  readonly files: ReadonlySet<string>;
  readonly arrows: readonly Arrow[];
  readonly uses: readonly Sight[];
  readonly faults: readonly Sight[];
};

const skipped = new Set(['node_modules', 'build', 'coverage']);
const source = /\.[cm]?[jt]sx?$/;

/** Reads every source file below a root, hidden folders and packages left out. */
export function readGraph(root: string): Graph {
  const files = new Set(listSources(root));
  const arrows: Arrow[] = [];
  const uses: Sight[] = [];
  const faults: Sight[] = [];
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    const parsed = parseSync(file, text);
    const see = ({ what, offset }: Found): Sight => ({ file, line: lineOf(text, offset), what });
    const read = readImports(parsed.program);
    for (const one of read.imports) {
      arrows.push({ from: file, to: resolve(file, one.specifier), kind: one.kind, line: lineOf(text, one.offset) });
    }
    uses.push(...readUses(parsed.program).map(see));
    faults.push(...read.faults.map(see));
    faults.push(...parsed.errors.map((error) => see({ what: error.message, offset: error.labels[0]?.start ?? 0 })));
  }
  return { files, arrows, uses, faults };
}

function listSources(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.') || skipped.has(entry.name)) return [];
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return listSources(root, path);
    return source.test(entry.name) ? [path] : [];
  });
}

function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  if (isBuiltin(specifier)) return `node:${specifier.replace(/^node:/, '')}`;
  const parts = specifier.split('/');
  return `npm:${parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')}`;
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
