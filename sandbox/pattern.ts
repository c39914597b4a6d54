/** A wanted value: the value exactly, or /a regular expression/. */
export function fits(wanted: string, value: string): boolean {
  const expression = expressionOf(wanted);
  return expression === undefined ? wanted === value : new RegExp(expression).test(value);
}

export function isPattern(text: string): boolean {
  const expression = expressionOf(text);
  return expression === undefined || isExpression(expression);
}

export function isExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

const expressionOf = (text: string) => /^\/(.+)\/$/s.exec(text)?.[1];
