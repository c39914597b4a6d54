import { isIPv4, isIPv6 } from 'node:net';
import type { UserId } from '../../contracts/ids.ts';
import type { Deps } from '../deps.ts';

/**
 * The network that somebody signs in from, as a hash that is of use for one question: whether it is the same as another
 * time. It is keyed, and of the person, so neither a stolen table nor two people's rows tell where anybody was.
 */
export function networkOf(deps: Pick<Deps, 'mac'>, userId: UserId, address: string | undefined): Buffer | null {
  const prefix = prefixOf(address ?? '');
  return prefix === undefined ? null : deps.mac('network', `${userId} ${prefix}`);
}

/** What a provider gives to one site: three bytes of an IPv4 address, 48 bits of an IPv6 address. */
function prefixOf(address: string): string | undefined {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (isIPv4(plain)) return plain.split('.').slice(0, 3).join('.');
  return isIPv6(plain) ? groupsOf(plain).slice(0, 3).join(':') : undefined;
}

/** The eight groups, `::` written out. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const [before, after] = [head as string[], (tail ?? []) as string[]];
  const between = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...between, ...after].map((group) => Number.parseInt(group, 16).toString(16));
}
