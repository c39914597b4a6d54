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
]);

/** Finds the watched words in code: as a member, taken apart, or imported by name from Node. */
export function readUses(program: Program): Found[] {
  const uses: Found[] = [];
  const add = (what: Word | undefined, node: Node): void => {
    if (what) uses.push({ what, offset: node.start });
  };
  new Visitor({
    MemberExpression: (node) => add(members.get(`${nameOf(node.object)}.${nameOf(node)}`), node),
    NewExpression: (node) => add(isClockRead(node) ? 'new Date()' : undefined, node),
    CallExpression: (node) => add(nameOf(node.callee) === 'Date' ? 'new Date()' : undefined, node),
    VariableDeclarator: (node) => {
      if (node.id.type !== 'ObjectPattern' || !node.init) return;
      for (const part of node.id.properties) {
        if (part.type === 'Property') add(members.get(`${nameOf(node.init)}.${nameOf(part.key)}`), node);
      }
    },
    ImportDeclaration: (node) => {
      const module = node.source.value.replace(/^node:/, '');
      for (const one of node.specifiers) {
        if (one.type === 'ImportSpecifier') add(members.get(`${module}.${nameOf(one.imported)}`), one);
      }
    },
  }).visit(program);
  return uses;
}

/** `new Date(x)` only converts what it was given; `new Date()` asks the machine for the time. */
function isClockRead(node: { callee: Node; arguments: readonly unknown[] }): boolean {
  return nameOf(node.callee) === 'Date' && node.arguments.length === 0;
}

/** The last name of `a`, `a.b` and `a['b']`; globalThis.process is process. */
function nameOf(node: object): string {
  if ('property' in node && typeof node.property === 'object' && node.property) return nameOf(node.property);
  if ('name' in node) return String(node.name);
  return 'value' in node ? String(node.value) : '';
}
