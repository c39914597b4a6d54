import assert from 'node:assert/strict';
import { z } from 'zod';
import { faultsOf } from '../../contracts/errors.ts';
import { NewMessage } from '../../contracts/entities/index.ts';

const wordsOf = (schema: z.ZodType, value: unknown) => {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : faultsOf(parsed.error.issues).map(({ path, message }) => `${path} ${message}`);
};

describe('what is said of a fault', () => {
  const cases: [string, z.ZodType, unknown, string][] = [
    ['what is missing', z.string(), undefined, 'a is missing'],
    ['another type', z.string(), 1, 'a must be text'],
    ['half a number', z.int(), 1.5, 'a must be a whole number'],
    ['too short', z.string().min(1), '', 'a must have at least 1 character'],
    ['too long', z.string().max(3), 'long', 'a must have at most 3 characters'],
    ['not so many', z.array(z.string()).length(1), [], 'a must have exactly 1 item'],
    ['too much', z.int().max(3), 5, 'a must be at most 3'],
    ['no choice', z.enum(['x', 'y']), 'z', 'a must be one of x, y'],
    ['no id', z.uuid(), '5', 'a must be an id (a UUID)'],
    [
      'no kind',
      z.discriminatedUnion('k', [z.object({ k: z.literal('x') }), z.object({ k: z.literal('y') })]),
      { k: 3 },
      'a.k must be one of x, y',
    ],
    [
      'a rule of its own',
      z.string().regex(/^\d+$/, { message: 'must be a whole number' }),
      'x',
      'a must be a whole number',
    ],
  ];
  for (const [what, schema, value, said] of cases)
    it(`names the remedy: ${what}`, () =>
      assert.deepEqual(wordsOf(z.strictObject({ a: schema }), { a: value }), [said]));

  it('says of an empty text one thing', () => {
    const message = { clientId: '01a21f1e-5296-788f-8a3d-c80e7c7521eb', text: '' };
    assert.deepEqual(wordsOf(NewMessage, message), ['text must have at least 1 character']);
  });
});
