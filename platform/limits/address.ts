import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/**
 * The address that a request came from, by the rule of Express's `trust proxy` with a number of hops: each proxy of ours
 * has appended whom it heard, so what stands before the last `hops` entries anybody may have written.
 */
export function clientAddress({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>, hops: number): string {
  const peer = socket.remoteAddress ?? 'unknown';
  const forwarded = headers['x-forwarded-for'];
  if (hops === 0 || forwarded === undefined) return peer;
  const told = String(forwarded)
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const chain = [...told, peer];
  return chain[Math.max(0, chain.length - 1 - hops)] ?? peer;
}

/** What counts as one address: IPv4 whole, of IPv6 the first 56 bits, which is what a household is given. */
export function networkOf(address: string): string {
  const plain = address.toLowerCase().replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return plain;
  const [a = 0, b = 0, c = 0, d = 0] = groupsOf(plain);
  return `${[a, b, c, d & 0xff00].map((group) => group.toString(16)).join(':')}::/56`;
}

/** The eight groups of 16 bits; a dotted end is two of them, which nobody looks at. */
function groupsOf(address: string): number[] {
  const [left = [], right] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = right === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill('0'), ...(right ?? [])].map((group) => Number.parseInt(group, 16));
}
