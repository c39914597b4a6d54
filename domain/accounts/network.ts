import ipaddr from 'ipaddr.js';
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
  if (!ipaddr.isValid(address)) return undefined;
  const bytes = ipaddr.process(address).toByteArray();
  return Buffer.from(bytes.slice(0, bytes.length === 4 ? 3 : 6)).toString('hex');
}
