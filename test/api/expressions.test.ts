import assert from 'node:assert/strict';
import fc from 'fast-check';
import { z } from 'zod';
import { clientEvents } from '../../contracts/realtime/index.ts';
import { type Endpoint, endpoints } from '../../contracts/rest/index.ts';
import {
  type Expression,
  type Ladder,
  ends,
  expressionsIn,
  isSteep,
  ladderOf,
  pumped,
  units,
} from '../support/expressions.ts';
import { fuzzSeed, withSeed } from '../support/seed.ts';

const root = new URL('../..', import.meta.url).pathname;

const nearMisses = units.flatMap((unit) => [ladderOf(unit), ladderOf(unit, '', '\u0000'), ladderOf(unit, '', '!')]);

/**
 * Texts that fit, made from the expression itself where the maker understands it. Of a property of Unicode it tries one
 * character after the other, for however long that takes.
 */
function fitting({ pattern, flags }: Expression): string[] {
  if (/\\p\{/i.test(pattern)) return [];
  try {
    return fc.sample(fc.stringMatching(new RegExp(pattern, flags)), { numRuns: 3, seed: fuzzSeed });
  } catch {
    return [];
  }
}

/** The texts on which an expression costs more than its characters do, or does not end at all. */
function steepFor(expression: Expression): Ladder | undefined {
  const ladders = [...nearMisses, ...pumped(fitting(expression))];
  if (!ends(expression, ladders.flat())) return ladders[0];
  // Without the flags that have it remember where it was.
  const one = new RegExp(expression.pattern, expression.flags.replace(/[gy]/g, ''));
  return ladders.find((ladder) => isSteep((text) => one.test(text), ladder));
}

interface Leaf {
  where: string;
  schema: z.ZodType;
}
type Definition = { type: string; [part: string]: unknown };

/** Every place of a schema where a text may stand. */
function textsOf(schema: z.ZodType, where: string, seen = new Set<z.ZodType>()): Leaf[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const { type, ...definition } = schema._zod.def as unknown as Definition;
  if (type === 'string') return [{ where, schema }];
  // What a text is made into is asked of the whole.
  const [inner] = type === 'pipe' ? textsOf(definition.in as z.ZodType, where, new Set()) : [];
  if (inner?.where === where) return [{ where, schema }];
  return partsOf(definition).flatMap(([name, part]) => textsOf(part, name ? `${where}.${name}` : where, seen));
}

function partsOf(definition: Record<string, unknown>): [name: string, part: z.ZodType][] {
  return Object.entries(definition).flatMap(([name, value]) => {
    if (isSchema(value)) return [[name === 'innerType' ? '' : name, value] as [string, z.ZodType]];
    if (typeof value !== 'object' || value === null || name === 'checks') return [];
    return Object.entries(value).filter((entry): entry is [string, z.ZodType] => isSchema(entry[1]));
  });
}

const isSchema = (value: unknown): value is z.ZodType =>
  typeof value === 'object' && value !== null && '_zod' in value && 'safeParse' in value;

const texts: Leaf[] = [
  ...Object.values<Endpoint>(endpoints).flatMap(({ operationId, params, query, body }) =>
    [params, query, body].flatMap((part) => (part ? textsOf(part, operationId) : [])),
  ),
  ...Object.entries(clientEvents).flatMap(([name, { input }]) => (name === 'request' ? [] : textsOf(input, name))),
];
const distinct = [...Map.groupBy(texts, ({ schema }) => schema).values()].map(([first]) => first as Leaf);

describe('no text holds up the house', () => {
  it('by a regular expression', async function () {
    this.timeout(300_000);
    const folders = [
      'contracts',
      'api',
      'realtime',
      'domain',
      'platform',
      'activities',
      'workers',
      'workflows',
      'temporal',
    ];
    const all = await expressionsIn(root, folders);
    assert.ok(all.length > 60, `only ${all.length} were found`);
    // What repeats nothing costs its own length at each character, and no more.
    const repeating = all.filter(({ pattern }) => /[*+{]/.test(pattern));
    await withSeed(async () => {
      const steep = repeating.filter((each) => steepFor(each)).map(({ file, pattern }) => `${file} ${pattern}`);
      assert.deepEqual(steep, []);
    });
  });

  it('by a place of the contracts where one may stand', function () {
    this.timeout(300_000);
    assert.ok(distinct.length > 20, `only ${distinct.length} were found`);
    const steep = distinct.flatMap(({ where, schema }) => {
      const work = (text: string) => schema.safeParse(text).success;
      const ladder = nearMisses.find((each) => isSteep(work, each));
      return ladder ? [`${where}: ${JSON.stringify(ladder[0].slice(0, 20))}`] : [];
    });
    assert.deepEqual(steep, []);
  });

  // What the two above go by, shown what they are to find.
  const bad: [pattern: string, what: string][] = [
    ['^(a+)+$', 'doubles with every character'],
    ['^(\\w|a)+!$', 'doubles, too'],
    ['\\s+$', 'grows by pairs'],
    ['^\\d+\\d+x$', 'grows by pairs, anchored'],
    ['^attention:(\\w+)*;$', 'doubles behind a beginning'],
  ];
  for (const [pattern, what] of bad)
    it(`and ${pattern}, which ${what}, is found`, function () {
      this.timeout(120_000);
      assert.ok(steepFor({ file: 'planted', pattern, flags: '' }));
    });
  it('and what grows by pairs is told by its growth alone', function () {
    this.timeout(120_000);
    const [tabs, digits] = [ladderOf('\t', '', '!'), ladderOf('1', '', '!')];
    assert.ok(isSteep((text) => /\s+$/.test(text), tabs));
    assert.ok(
      isSteep(
        (text) =>
          z
            .string()
            .regex(/^\d+\d+x$/)
            .safeParse(text).success,
        digits,
      ),
    );
    assert.ok(!isSteep((text) => text.split('').map(encodeURIComponent), digits));
  });
  for (const pattern of ['^[a-z][a-z-]*([./][0-9a-z-]+){1,3}$', '^\\d{1,16}$', '[&<>"\']'])
    it(`and ${pattern} is not`, function () {
      this.timeout(120_000);
      assert.equal(steepFor({ file: 'planted', pattern, flags: '' }), undefined);
    });
});
