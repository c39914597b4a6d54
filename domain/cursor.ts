import type { Deps } from './deps.ts';
import { faultyField } from './errors.ts';

/** Bytes of the seal: a guess at a position of one's own list is worth nothing, so 64 bits are plenty. */
const sealBytes = 8;

/** A place in a list as an opaque, tamper-evident word. `list` keeps one list's cursors out of another's. */
export function sealCursor(deps: Pick<Deps, 'mac'>, list: string, position: readonly string[]): string {
  const body = JSON.stringify(position);
  const seal = deps.mac('cursor', `${list}\n${body}`).subarray(0, sealBytes);
  return Buffer.concat([seal, Buffer.from(body)]).toString('base64url');
}

/** The position that `sealCursor` was given. Refuses any other word. */
export function openCursor(deps: Pick<Deps, 'mac'>, list: string, cursor: string): string[] {
  const bytes = Buffer.from(cursor, 'base64url');
  const body = bytes.subarray(sealBytes).toString();
  const seal = deps.mac('cursor', `${list}\n${body}`).subarray(0, sealBytes);
  if (!seal.equals(bytes.subarray(0, sealBytes))) {
    throw faultyField('cursor', 'invalid_cursor', 'is not a cursor of this list; begin again without one');
  }
  return JSON.parse(body) as string[];
}
