/**
 * Client ids: UUIDv7 (RFC 9562 §5.7), each higher than the one before, also within a millisecond and when the clock goes
 * back, so that their order is the order of making.
 */
export function createIds(now: () => number): () => string {
  let last = 0;
  let counter = 0;
  return () => {
    const at = Math.max(last, Math.floor(now()));
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    // Method 1 of §6.2: a counter in the twelve bits behind the time; when it runs over, the time is taken ahead.
    counter = at === last ? counter + 1 : ((bytes[6] ?? 0) << 3) | ((bytes[7] ?? 0) & 7);
    last = counter > 0xfff ? at + 1 : at;
    if (counter > 0xfff) counter = 0;
    return format(last, counter, bytes);
  };
}

function format(ms: number, counter: number, bytes: Uint8Array): string {
  new DataView(bytes.buffer).setUint16(0, Math.floor(ms / 2 ** 32));
  new DataView(bytes.buffer).setUint32(2, ms % 2 ** 32);
  new DataView(bytes.buffer).setUint16(6, 0x7000 | counter);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
