import { type Program, Visitor } from 'oxc-parser';
import type { Found } from './read-imports.ts';

/** The words that only some folders may use; `places` in uses.ts says which. */
export type Word = 'process.env' | 'new Date()' | 'Date.now()' | 'Math.random()' | 'crypto.randomUUID()';

type Node = { readonly type: string; readonly start: number };

const members: ReadonlyMap<string, Word> = new Map([
  ['process.env', 'process.env'],
  ['Date.now', 'Date.now()'],
  ['Math.random', 'Math.random()'],
  ['crypto.randomUUID', 'crypto.randomUUID()'],
  ['crypto.randomUUIDv7', 'crypto.randomUUID()'],
  ['webcrypto.randomUUID', 'crypto.randomUUID()'],
]);

/** Finds the watched words in code: as a member, taken apart, or imported from Node, whatever the file calls it. */
export function readUses(program: Program): Found[] {
  const uses: Found[] = [];
  const nameOf = namesIn(program);
  const add = (what: Word | undefined, node: Node): void => {
    if (what) uses.push({ what, offset: node.start });
  };
  const parts = (whole: string, all: readonly Node[]) => {
    for (const part of all) add(members.get(`${whole}.${nameOf(keyOf(part))}`), part);
  };
  new Visitor({
    MemberExpression: (node) => add(members.get(`${nameOf(node.object)}.${nameOf(node)}`), node),
    NewExpression: (node) => add(isClockRead(nameOf(node.callee), node.arguments) ? 'new Date()' : undefined, node),
    CallExpression: (node) => add(nameOf(node.callee) === 'Date' ? 'new Date()' : undefined, node),
    VariableDeclarator: ({ id, init }) => {
      if (id.type === 'ObjectPattern' && init) parts(nameOf(init), id.properties);
    },
    ImportDeclaration: ({ source, specifiers }) => parts(moduleName(source.value), specifiers),
    ExportNamedDeclaration: ({ source, specifiers }) => source && parts(moduleName(source.value), specifiers),
  }).visit(program);
  return uses;
}

const moduleName = (specifier: unknown) => String(specifier).replace(/^node:/, '');

/** What a part of `{ a: b }`, `import { a as b }` or `export { a as b }` is called where it comes from. */
function keyOf(part: Node): object {
  const { key, imported, local } = part as Node & { key?: object; imported?: object; local?: object };
  return key ?? imported ?? local ?? part;
}

/** `new Date(x)` only converts what it was given; `new Date()` asks the machine for the time. */
function isClockRead(name: string, given: readonly unknown[]): boolean {
  return name === 'Date' && given.length === 0;
}

/**
 * A function that gives the last name of `a`, `a.b` and `a['b']`, so that globalThis.process is process. What the file calls
 * otherwise goes by its own name: `import * as p from 'node:process'`, `const p = process`, `await import('node:process')`.
 */
function namesIn(program: Program): (node: object) => string {
  const own = new Map<string, string>();
  const nameOf = (node: object): string => {
    const { argument, property, name, source, value } = node as Partial<Record<string, unknown>>;
    if (argument && typeof argument === 'object') return nameOf(argument);
    if (property && typeof property === 'object') return nameOf(property);
    if (typeof name === 'string') return own.get(name) ?? name;
    if (source && typeof source === 'object') return moduleName((source as { value?: unknown }).value);
    return typeof value === 'string' ? value : '';
  };
  new Visitor({
    ImportDeclaration: ({ source, specifiers }) => {
      for (const one of specifiers)
        if (one.type !== 'ImportSpecifier') own.set(one.local.name, moduleName(source.value));
    },
    VariableDeclarator: ({ id, init }) => {
      if (id.type === 'Identifier' && init && watched.has(nameOf(init))) own.set(id.name, nameOf(init));
    },
  }).visit(program);
  return nameOf;
}

/** What the watched words are members of, and the clock itself. */
const watched = new Set([...members.keys()].map((member) => member.split('.')[0] ?? ''));
