import { type CallExpression, type Node, type Program, Visitor } from 'oxc-parser';

/** One arrow as it is written: `type` when the file vanishes before the program runs. */
export type Import = { readonly specifier: string; readonly kind: 'value' | 'type'; readonly offset: number };

/** Something in a file that a rule speaks about, or that could not be read. */
export type Found = { readonly what: string; readonly offset: number };

type Target = { readonly start: number; readonly value?: unknown };

/**
 * Reads every import of a file: static, `import type`, re-export, `import()` in code and in types. The syntax tree tells
 * them apart; a regular expression would read comments and strings, too.
 */
export function readImports(program: Program): { imports: Import[]; faults: Found[] } {
  const imports: Import[] = [];
  const faults: Found[] = [];
  const add = (target: Target, kind: 'value' | 'type'): void => {
    if (typeof target.value === 'string') imports.push({ specifier: target.value, kind, offset: target.start });
    else faults.push({ what: 'an import whose target is not written out', offset: target.start });
  };
  const { loads, strays } = readRequires(program);
  for (const load of loads) add(load, 'value');
  faults.push(...strays);
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind ?? 'value'),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind ?? 'value'),
    ExportNamedDeclaration: (node) => node.source && add(node.source, node.exportKind ?? 'value'),
    ImportExpression: (node) => add(node.source, 'value'),
    TSImportType: (node) => add(node.source, 'type'),
    TSExternalModuleReference: (node) => add(node.expression, 'value'),
  }).visit(program);
  return { imports, faults };
}

/**
 * Ways past the import statement: `require(…)`, `createRequire(…)(…)`, either of them under a name of its own, and
 * `process.getBuiltinModule(…)`. Such a function may be called and nothing else: handed on, nobody could say what it loads.
 */
function readRequires(program: Program): { loads: Target[]; strays: Found[] } {
  const loads: Target[] = [];
  const understood = new Set<number>();
  const requires = namesOfRequires(program, understood);
  const isRequire = (callee: Node): boolean =>
    (callee.type === 'Identifier' && requires.has(callee.name)) || isMaker(callee);
  new Visitor({
    CallExpression: ({ callee, arguments: [target] }) => {
      if (isRequire(callee)) understood.add(callee.start);
      if (target && (isRequire(callee) || memberName(callee) === 'getBuiltinModule')) loads.push(target);
      if (isMaker(callee)) understood.add(nameOfMaker(callee));
    },
    // `require.resolve(…)` only says where something is.
    MemberExpression: (node) => {
      if (memberName(node) === 'resolve' && isRequire(node.object)) understood.add(node.object.start);
    },
    // Another file could load by it what this check would look for there in vain.
    ExportNamedDeclaration: ({ declaration }) => {
      if (declaration?.type !== 'VariableDeclaration') return;
      for (const { id } of declaration.declarations) understood.delete(id.start);
    },
    ImportSpecifier: ({ imported, local }) => {
      if (local.name === 'createRequire') understood.add(local.start).add(imported.start);
    },
  }).visit(program);
  return { loads, strays: strayNames(program, requires, understood) };
}

/** What `const load = createRequire(…)` and `const load = require` call the function. */
function namesOfRequires(program: Program, understood: Set<number>): Set<string> {
  const names = new Set(['require']);
  new Visitor({
    VariableDeclarator: ({ id, init }) => {
      if (!init || id.type !== 'Identifier') return;
      const known = init.type === 'Identifier' && names.has(init.name);
      if (!known && !isMaker(init)) return;
      names.add(id.name);
      understood.add(id.start).add(init.start);
      if (isMaker(init)) understood.add(nameOfMaker(init));
    },
  }).visit(program);
  return names;
}

/** Every mention of such a function that is none of the ways understood above. */
function strayNames(program: Program, requires: ReadonlySet<string>, understood: ReadonlySet<number>): Found[] {
  const strays: Found[] = [];
  const look = (name: unknown, offset: number) => {
    const watched = name === 'createRequire' || (typeof name === 'string' && requires.has(name));
    if (watched && !understood.has(offset)) strays.push({ what: `${name} where it cannot be followed`, offset });
  };
  new Visitor({
    Identifier: ({ name, start }) => look(name, start),
    // The same word in quotes, where it names a member.
    MemberExpression: ({ property }) => property.type === 'Literal' && look(property.value, property.start),
    Property: ({ key }) => key.type === 'Literal' && look(key.value, key.start),
  }).visit(program);
  return strays;
}

/** `createRequire(…)`, also as a member: `module.createRequire(…)`. */
function isMaker(node: Node): node is CallExpression {
  if (node.type !== 'CallExpression') return false;
  const { callee } = node;
  return memberName(callee) === 'createRequire' || (callee.type === 'Identifier' && callee.name === 'createRequire');
}

/** Where the word createRequire stands in such a call. */
function nameOfMaker({ callee }: CallExpression): number {
  return callee.type === 'MemberExpression' ? callee.property.start : callee.start;
}

/** The name in `a.name` and `a['name']`. */
function memberName(node: Node): string | undefined {
  if (node.type !== 'MemberExpression') return undefined;
  const { property } = node;
  if (property.type === 'Identifier') return property.name;
  return property.type === 'Literal' ? String(property.value) : undefined;
}
