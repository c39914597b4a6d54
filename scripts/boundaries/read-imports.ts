import { type Expression, type Program, Visitor } from 'oxc-parser';

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
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind ?? 'value'),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind ?? 'value'),
    ExportNamedDeclaration: (node) => node.source && add(node.source, node.exportKind ?? 'value'),
    ImportExpression: (node) => add(node.source, 'value'),
    TSImportType: (node) => add(node.source, 'type'),
    TSExternalModuleReference: (node) => add(node.expression, 'value'),
    CallExpression: (node) => {
      if (isRequire(node.callee) && node.arguments[0]) add(node.arguments[0], 'value');
    },
  }).visit(program);
  return { imports, faults };
}

/** `require(…)` and `createRequire(…)(…)`: two ways past the import statement. */
function isRequire(callee: Expression): boolean {
  if (callee.type === 'Identifier') return callee.name === 'require';
  return (
    callee.type === 'CallExpression' && callee.callee.type === 'Identifier' && callee.callee.name === 'createRequire'
  );
}
