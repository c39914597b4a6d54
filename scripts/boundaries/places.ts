const compiled = new Map<string, RegExp>();

/**
 * Matches a path against a pattern of the tables: `*` is one name, `**` any depth, `{a,b}` either, `$1` what another
 * pattern's first wildcard stood for.
 */
export function matchPlace(pattern: string, path: string, first = ''): readonly string[] | undefined {
  const found = compile(pattern.replaceAll('$1', first)).exec(path);
  return found ? found.slice(1) : undefined;
}

function compile(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known) return known;
  const made = new RegExp(`^${toSource(pattern)}$`);
  compiled.set(pattern, made);
  return made;
}

function toSource(pattern: string): string {
  return pattern.replace(/\*\*|[*{},.+^$()|[\]\\]/g, (sign) => {
    if (sign === '**') return '.*';
    if (sign === '*') return '([^/]+)';
    if (sign === '{') return '(';
    if (sign === '}') return ')';
    if (sign === ',') return '|';
    return `\\${sign}`;
  });
}
