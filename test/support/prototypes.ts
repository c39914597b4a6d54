import assert from 'node:assert/strict';

const kinds = [Object, Array, Function, String, Number, Boolean, Date, Error, Map, Set, Promise, RegExp, Buffer];

/** What everything in this process inherits, the server in it included. */
function snapshot(): Map<string, unknown> {
  return new Map(
    kinds.flatMap((kind) => {
      const prototype = kind.prototype as object;
      return Reflect.ownKeys(prototype).map((key) => {
        const own = Object.getOwnPropertyDescriptor(prototype, key);
        return [`${kind.name}.${String(key)}`, own && Reflect.get(own, 'value' in own ? 'value' : 'get')] as const;
      });
    }),
  );
}

/** The work leaves what all objects inherit as it was. */
export async function expectSamePrototypes(name: string, work: () => Promise<unknown>): Promise<void> {
  const before = snapshot();
  await work();
  const after = snapshot();
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter((key) => before.get(key) !== after.get(key));
  assert.deepEqual(changed, [], `${name} changed what all objects inherit`);
}

const evil = '{"polluted":true,"isAdmin":true,"status":200}';

/** JSON by which a careless merge reaches what all objects inherit, in each spelling that there is. */
export const spellings: Readonly<Record<string, string>> = {
  __proto__: `{"__proto__":${evil}}`,
  'constructor.prototype': `{"constructor":{"prototype":${evil}}}`,
  'both, nested': `{"x":{"__proto__":{"__proto__":${evil}},"constructor":{"constructor":{"prototype":${evil}}}}}`,
  'a key twice': `{"__proto__":null,"__proto__":${evil},"constructor":1,"constructor":{"prototype":${evil}}}`,
  'with escapes': `{"\\u005f_proto__":${evil},"c\\u006fnstructor":{"prototype":${evil}}}`,
  'keys with dots and brackets': `{"__proto__.polluted":true,"__proto__[polluted]":true,"constructor.prototype.polluted":true}`,
  'a list': `[{"__proto__":${evil}},["__proto__","polluted"]]`,
};
