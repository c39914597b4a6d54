/**
 * Arrays as PostgreSQL takes them in binary (array_recv): a batch is written with neither quoting nor escapes here, and read
 * without parsing there, which is half of what a send costs this process.
 *
 * Header: dimensions, whether there are nulls, the elements' type; for the one dimension its length and lower bound. Then
 * each element behind its length, a null as length -1. All numbers are int32, big endian.
 */
const types = { uuid: 2950, text: 25, bytea: 17 } as const;
const headerBytes = 20;

/** `uuid[]` of ids in their usual writing, null for null. */
export function uuidArray(ids: readonly (string | null)[]): Buffer {
  const array = Buffer.allocUnsafe(headerBytes + ids.length * 20);
  let at = writeHeader(array, types.uuid, ids);
  for (const id of ids) {
    if (id === null) {
      at = array.writeInt32BE(-1, at);
      continue;
    }
    at = array.writeInt32BE(16, at);
    const written = array.write(id.replaceAll('-', ''), at, 16, 'hex');
    if (written !== 16) throw new TypeError('an id is no UUID');
    at += written;
  }
  return array.subarray(0, at);
}

/** `text[]`, null for null. */
export function textArray(texts: readonly (string | null)[]): Buffer {
  return variable(
    types.text,
    texts,
    (text) => Buffer.byteLength(text),
    (array, text, at) => array.write(text, at),
  );
}

/** `bytea[]`. */
export function byteaArray(values: readonly Buffer[]): Buffer {
  return variable(
    types.bytea,
    values,
    (value) => value.length,
    (array, value, at) => value.copy(array, at),
  );
}

function variable<Value>(
  type: number,
  values: readonly (Value | null)[],
  lengthOf: (value: Value) => number,
  write: (array: Buffer, value: Value, at: number) => number,
): Buffer {
  const bytes = values.reduce((sum, value) => sum + 4 + (value === null ? 0 : lengthOf(value)), headerBytes);
  const array = Buffer.allocUnsafe(bytes);
  let at = writeHeader(array, type, values);
  for (const value of values) {
    const length = value === null ? -1 : lengthOf(value);
    at = array.writeInt32BE(length, at);
    if (value !== null) at += write(array, value, at);
  }
  return array.subarray(0, at);
}

function writeHeader(array: Buffer, type: number, values: readonly unknown[]): number {
  let at = array.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  at = array.writeInt32BE(values.includes(null) ? 1 : 0, at);
  at = array.writeInt32BE(type, at);
  // An array of nothing has no dimension that could have a length.
  if (values.length === 0) return at;
  at = array.writeInt32BE(values.length, at);
  return array.writeInt32BE(1, at);
}
