import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

type Block = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** What an operator lets requests go to although it is not the open internet: a network, or a host at one port. */
export type Network = { block: Block } | { host: string; port: number };

/** Where a request would go: the host as its address names it. */
export interface Destination {
  host: string;
  port: number;
}

/** The only part of IPv6 from which addresses of the open internet are given out (RFC 4291 §2.4, IANA). */
const global: Block = ipaddr.parseCIDR('2000::/3');
/** What lies in open space and is not of it, and is younger than the library's own ranges, or no range at all. */
const setAside: readonly Block[] = [
  // Benchmarks (RFC 2544).
  '198.18.0.0/15',
  // Azure answers its own machines there, as others do at 169.254.169.254.
  '168.63.129.16/32',
  // Of a purpose of its own (IANA), although routed: who answers there is nobody in particular (RFC 7534, 7535, 7450).
  ...['192.31.196.0/24', '192.52.193.0/24', '192.175.48.0/24', '2620:4f:8000::/48'],
  // Protocols (RFC 2928), Teredo among them, and documentation (RFC 9637).
  ...['2001::/23', '3fff::/20'],
].map((text) => ipaddr.parseCIDR(text));

/**
 * What kind of address it is: `unicast` where it is one of the open internet. That is the rule; what is anything else is
 * refused, whether or not somebody has thought of it.
 */
export function classOf(address: string): string {
  if (isIP(address) === 0) return 'unreadable';
  const parsed = parse(address);
  if (parsed.range() !== 'unicast') return parsed.range();
  if (parsed.kind() === 'ipv6' && !isWithin(parsed, global)) return 'unassigned';
  return setAside.some((block) => isWithin(parsed, block)) ? 'reserved' : 'unicast';
}

/** Whether the operator has named the host at this port. */
export const isNamed = (allowed: readonly Network[], { host, port }: Destination): boolean =>
  allowed.some((each) => 'host' in each && each.host === host && each.port === port);

/** Whether the operator has named a network that the address is of. */
export const isAllowed = (allowed: readonly Network[], address: string): boolean =>
  isIP(address) !== 0 && allowed.some((each) => 'block' in each && isWithin(parse(address), each.block));

/** The library throws at an IPv6 address that ends in IPv4, but behind a few prefixes; in hexadecimal it reads all. */
const parse = (address: string) => ipaddr.parse(inHexadecimal(address));

const inHexadecimal = (address: string): string =>
  address.replace(/^([^%]*:)(\d+)\.(\d+)\.(\d+)\.(\d+)/, (_, before: string, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${before}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, [start, bits]: Block): boolean {
  // The library throws where the two are of different kinds.
  return address.kind() === start.kind() && (address as ipaddr.IPv4).match(start as ipaddr.IPv4, bits);
}

/** `10.8.0.0/16`, `fd12::/48`, `keycloak:8080` or `[::1]:8080`. */
export function toNetwork(text: string): Network | undefined {
  const [, address = '', bits = ''] = /^([\da-f.:]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const family = isIP(address);
  if (family !== 0)
    return Number(bits) <= (family === 4 ? 32 : 128) ? { block: ipaddr.parseCIDR(inHexadecimal(text)) } : undefined;
  // By the parser that reads the addresses which are asked for, so that both are spelled alike.
  const url = /^[^\s/?#@]+:\d{1,5}$/.test(text) ? URL.parse(`http://${text}`) : null;
  return url ? { host: bare(url.hostname), port: Number(url.port || 80) } : undefined;
}

/** An IPv6 address without the brackets that it has in a URL. */
export const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

/** Networks, comma-separated. */
export const networksSetting = z.string().transform((text, context): Network[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part) => {
      const network = toNetwork(part);
      if (!network)
        context.addIssue({
          code: 'custom',
          message: 'must be networks such as 10.8.0.0/16, or hosts with a port such as keycloak:8080',
        });
      return network ?? [];
    }),
);
