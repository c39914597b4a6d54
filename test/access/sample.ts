import { randomBytes, randomUUIDv7 } from 'node:crypto';
import fc from 'fast-check';
import { z } from 'zod';

interface Node {
  $ref?: string;
  $defs?: Record<string, Node>;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Node[];
  oneOf?: Node[];
  allOf?: Node[];
  properties?: Record<string, Node>;
  required?: string[];
  items?: Node;
  prefixItems?: Node[];
  minItems?: number;
  minimum?: number;
  minLength?: number;
  format?: string;
  pattern?: string;
  examples?: unknown[];
  description?: string;
}

/** What is put wherever a field has this name, instead of something made up. */
export type Known = Readonly<Record<string, unknown>>;

const shapeOf = (schema: z.ZodType): Node => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node;

/**
 * Something that the contract takes, made from the contract: what it requires, and as many of its optional fields as it
 * takes until it is content. Throws where it never is.
 */
export function sampleOf(schema: z.ZodType, known: Known = {}): unknown {
  const root = shapeOf(schema);
  const optional = optionalOf(root);
  for (let count = 0; count <= optional.length; count += 1) {
    const value = make(root, root, '', known, new Set(optional.slice(0, count)));
    if (schema.safeParse(value).success) return value;
  }
  throw new Error(`no sample of ${JSON.stringify(root).slice(0, 300)}`);
}

/** The fields of its own that an object has, whether it must be given or not. */
export const fieldsOf = (schema: z.ZodType): string[] => {
  const root = shapeOf(schema);
  const first = resolve(root, root);
  return [first, ...(first.anyOf ?? []), ...(first.oneOf ?? [])].flatMap((node) =>
    Object.keys(resolve(root, node).properties ?? {}),
  );
};

/** Every object in it that has room for a field which nobody named; where, in words. */
export function roomIn(schema: z.ZodType, io: 'input' | 'output'): string[] {
  const found: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, properties, additionalProperties } = node as Node & { additionalProperties?: unknown };
    if (type === 'object' && properties && additionalProperties !== false) found.push(path || 'itself');
    for (const [key, value] of Object.entries(node)) walk(value, `${path}.${key}`);
  };
  walk(z.toJSONSchema(schema, { io, unrepresentable: 'any' }), '');
  return found;
}

/** Ids that a client makes up: they name a call, so that its repeat is known, and nothing that is there. */
const madeUp = new Set(['clientId', 'requestId']);

/** Where in it an id of something may stand, however deep. */
export function idsIn(schema: z.ZodType): string[] {
  const root = shapeOf(schema);
  const found = new Set<string>();
  const walk = (given: Node, path: readonly string[]): void => {
    const node = resolve(root, given);
    if (node.format === 'uuid' && !madeUp.has(path.at(-1) ?? '')) found.add(path.join('.'));
    const { anyOf = [], oneOf = [], allOf = [], prefixItems = [], items, properties = {} } = node;
    for (const one of [...anyOf, ...oneOf, ...allOf, ...prefixItems, ...(items ? [items] : [])]) walk(one, path);
    for (const [name, one] of Object.entries(properties)) walk(one, [...path, name]);
  };
  walk(root, []);
  return [...found];
}

function optionalOf(root: Node): string[] {
  const { properties = {}, required = [] } = resolve(root, root);
  return Object.keys(properties).filter((name) => !required.includes(name));
}

const resolve = (root: Node, node: Node): Node =>
  node.$ref && node.$ref !== '#' ? resolve(root, root.$defs?.[node.$ref.split('/').at(-1) ?? ''] ?? {}) : node;

function make(root: Node, given: Node, name: string, known: Known, extra: ReadonlySet<string> = new Set()): unknown {
  const node = (given.allOf ?? []).reduce<Node>(
    (all, one) => ({ ...all, ...resolve(root, one) }),
    resolve(root, given),
  );
  if (Object.hasOwn(known, name)) return node.type === 'array' ? [known[name]] : known[name];
  if (node.const !== undefined) return node.const;
  if (node.enum) return node.enum[0];
  const one = (node.oneOf ?? node.anyOf)?.[0];
  if (one) return make(root, one, name, known, extra);
  switch (node.type) {
    case 'object':
      return object(root, node, name, known, extra);
    case 'array':
      return Array.from({ length: node.minItems ?? 0 }, () => make(root, node.items ?? {}, name, known));
    case 'integer':
    case 'number':
      return Math.max(node.minimum ?? 1, 1);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return text(node);
  }
}

/** Within another, what requires nothing takes no nothing either: a change names something. */
function object(
  root: Node,
  { properties = {}, required = [] }: Node,
  within: string,
  known: Known,
  extra: ReadonlySet<string>,
) {
  const names = Object.keys(properties);
  const least = required.length > 0 || within === '' ? required : names.slice(0, 1);
  const chosen = names.filter((name) => least.includes(name) || extra.has(name));
  return Object.fromEntries(chosen.map((name) => [name, make(root, properties[name] ?? {}, name, known)]));
}

const words = ['1', '000000', 'Ana', '+4915112345678', '22:00', 'attention.none.1'];

function text({ format, pattern, examples, description, minLength = 1 }: Node): string {
  if (format === 'uuid') return randomUUIDv7();
  if (format === 'date-time') return new Date().toISOString();
  if (description === 'E-mail address') return `${randomBytes(8).toString('hex')}@example.test`;
  if (examples) return String(examples[0]);
  if (!pattern) return 'x'.repeat(minLength);
  const expression = new RegExp(pattern, 'u');
  return words.find((word) => expression.test(word)) ?? String(fc.sample(fc.stringMatching(expression), 1)[0]);
}
