import type { z } from 'zod';

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a date',
  null: 'null',
};
const formats: Record<string, string> = {
  uuid: 'an id (a UUID)',
  email: 'an e-mail address',
  url: 'a URL',
  datetime: 'an instant, such as 2026-11-24T12:00:00Z',
  date: 'a date, such as 2026-11-24',
};

/** What is wrong with a field and what would be right, to be read after its name. Our own words stay as they are. */
export function wordsOf(issue: z.core.$ZodIssue): string {
  if (!/^(Invalid|Too) /.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined')
        ? 'is missing'
        : `must be ${kinds[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return bound(issue.origin, issue.exact ? 'exactly' : 'at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, issue.exact ? 'exactly' : 'at most', issue.maximum);
    case 'invalid_value':
      return oneOf(issue.values.map(String));
    case 'invalid_format':
      return `must be ${formats[issue.format] ?? `of the form ${issue.format}`}`;
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options)
        ? oneOf(issue.options.map(String))
        : 'is of no known form';
    default:
      return issue.message;
  }
}

const units: Record<string, string> = { string: 'character', array: 'item', set: 'item', map: 'entry' };

function bound(origin: string, how: string, count: number | bigint): string {
  const unit = units[origin];
  return unit ? `must have ${how} ${count} ${unit}${Number(count) === 1 ? '' : 's'}` : `must be ${how} ${count}`;
}

const oneOf = (values: readonly string[]): string =>
  values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(', ')}`;
