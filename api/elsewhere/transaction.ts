import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { limits } from '../../contracts/limits.ts';
import type { Beginning } from '../../domain/accounts/index.ts';
import type { Deps } from '../../domain/deps.ts';

/** What was begun at a provider, as the browser keeps it for us. */
export interface Transaction extends Beginning {
  id: string;
  provider: string;
  issuer: string;
  state: string;
  /** What the strategy must find again: the verifier, and the nonce. */
  session: Record<string, unknown>;
  expiresAt: number;
}

type CookieDeps = Pick<Deps, 'sealing' | 'now' | 'publicUrl'>;

/** What it is sealed for: nothing else that the same keys seal opens as one. */
const purpose = 'oauth-transaction';

/**
 * `__Host-` binds it to this host, over TLS, for every path: a neighbour under the same domain can neither read nor plant it.
 * Browsers take neither the prefix nor `Secure` from http, which is a developer's own machine and nothing else: there the
 * cookie goes without. Lax, for a browser comes back here from another site.
 */
const cookieOf = ({ publicUrl }: Pick<Deps, 'publicUrl'>) => {
  const { protocol, hostname } = new URL(publicUrl);
  const isOwnMachine = protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isOwnMachine ? '' : '; Secure'}`;
  return { name: isOwnMachine ? 'homing-oauth' : '__Host-homing-oauth', attributes };
};

export function keepTransaction(
  deps: CookieDeps,
  response: Response,
  begun: Omit<Transaction, 'id' | 'expiresAt'>,
): void {
  const { name, attributes } = cookieOf(deps);
  const expiresAt = deps.now().getTime() + limits.oauthSeconds * 1_000;
  const transaction: Transaction = { ...begun, id: randomBytes(16).toString('base64url'), expiresAt };
  const { keyId, sealed } = deps.sealing.seal(Buffer.from(JSON.stringify(transaction)), purpose);
  const value = `${keyId}.${sealed.toString('base64url')}`;
  response.setHeader('set-cookie', `${name}=${value}; ${attributes}; Max-Age=${limits.oauthSeconds}`);
}

/** What this browser began, which it forgets by the same answer; undefined where there is none, or it was not ours. */
export function takeTransaction(deps: CookieDeps, request: Request, response: Response): Transaction | undefined {
  const { name, attributes } = cookieOf(deps);
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const [keyId = '', sealed = ''] =
    pairs
      .find((pair) => pair.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .split('.') ?? [];
  response.setHeader('set-cookie', `${name}=; ${attributes}; Max-Age=0`);
  try {
    const opened = deps.sealing.open({ keyId, sealed: Buffer.from(sealed, 'base64url') }, purpose);
    return JSON.parse(opened.toString('utf8')) as Transaction;
  } catch {
    return undefined;
  }
}
