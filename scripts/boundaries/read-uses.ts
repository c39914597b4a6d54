import { type Program, Visitor } from 'oxc-parser';
import type { Found } from './read-imports.ts';

/** The words that only some folders may use; `places` in uses.ts says which. */
export type Word =
  | 'process.env'
  | 'new Date()'
  | 'Date.now()'
  | 'Math.random()'
  | 'crypto.randomUUID()'
  | 'fetch()'
  | 'new WebSocket()'
  | 'http.request()'
  | 'net.connect()';

type Node = { readonly type: string; readonly start: number };

const members: ReadonlyMap<string, Word> = new Map([
  ['process.env', 'process.env'],
  ['Date.now', 'Date.now()'],
  ['Math.random', 'Math.random()'],
  ['crypto.randomUUID', 'crypto.randomUUID()'],
  ['crypto.randomUUIDv7', 'crypto.randomUUID()'],
  ['webcrypto.randomUUID', 'crypto.randomUUID()'],
  ...['globalThis.fetch', 'global.fetch', 'window.fetch', 'self.fetch'].map((name) => [name, 'fetch()'] as const),
  ...['http.request', 'http.get', 'https.request', 'https.get'].map((name) => [name, 'http.request()'] as const),
  ...['net.connect', 'net.createConnection', 'tls.connect', 'http2.connect'].map(
    (name) => [name, 'net.connect()'] as const,
  ),
]);

/** What opens a connection when it is made. */
const sockets: readonly string[] = ['WebSocket', 'EventSource'];

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
    NewExpression(node) {
      add(isClockRead(nameOf(node.callee), node.arguments) ? 'new Date()' : undefined, node);
      add(sockets.includes(nameOf(node.callee)) ? 'new WebSocket()' : undefined, node);
    },
    CallExpression: (node) => add(nameOf(node.callee) === 'Date' ? 'new Date()' : undefined, node),
    VariableDeclarator: ({ id, init }) => {
      if (id.type === 'ObjectPattern' && init) parts(nameOf(init), id.properties);
    },
    ImportDeclaration: ({ source, specifiers }) => parts(moduleName(source.value), specifiers),
    ExportNamedDeclaration: ({ source, specifiers }) => source && parts(moduleName(source.value), specifiers),
  }).visit(program);
  return [...uses, ...readFetches(program)];
}

/**
 * The language's own `fetch`, called, handed on or kept. What is merely called so (a member, a key, a type) is not it; a
 * parameter or variable of this name hides it, and must be called otherwise.
 */
function readFetches(program: Program): Found[] {
  const names = new Set<number>();
  const fetches = new Set<number>();
  const key = ({ key: { start } }: { key: Node }) => void names.add(start);
  new Visitor({
    MemberExpression: ({ property, computed }) => void (computed || names.add(property.start)),
    Property: (node) => void (node.shorthand || key(node)),
    PropertyDefinition: key,
    MethodDefinition: key,
    TSPropertySignature: key,
    TSMethodSignature: key,
    ImportSpecifier: ({ imported }) => void names.add(imported.start),
    TSTypeQuery: ({ exprName }) => void names.add(exprName.start),
    Identifier({ name, start }) {
      if (name === 'fetch' && !names.has(start)) fetches.add(start);
    },
  }).visit(program);
  return [...fetches].map((offset) => ({ what: 'fetch()', offset }));
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
