import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';

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
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${Buffer.from(parsed.toByteArray().slice(0, 7)).toString('hex')}/56`;
}
