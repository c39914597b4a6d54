import { HomingError, type HomingErrorCode, isServerCode } from './errors.ts';
import type { ClientStorage } from './storage/storage.ts';

const key = 'sign-in-elsewhere';

/** What the app keeps while its browser is at a provider. */
interface Begun {
  verifier: string;
}

/** Where a browser goes to sign in by a provider. What comes back is good for this storage alone (RFC 7636). */
export async function setOut(
  { url, storage }: { url: string; storage: ClientStorage },
  provider: string,
  returnTo: string | undefined,
): Promise<string> {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  await storage.set(key, { verifier } satisfies Begun);
  const query = new URLSearchParams({
    challenge: base64url(new Uint8Array(digest)),
    ...(returnTo === undefined ? {} : { returnTo }),
  });
  return `${url}/v1/auth/oauth/${encodeURIComponent(provider)}?${query.toString()}`;
}

/** What the browser came back with. Rejects with the code of what went wrong there. */
export async function comeBack(
  { storage }: { storage: ClientStorage },
  address: string,
): Promise<{ code: string; verifier: string }> {
  const begun = (await storage.get(key)) as Begun | undefined;
  await storage.delete(key);
  const told = new URLSearchParams(new URL(address).hash.slice(1));
  const [code, error] = [told.get('code'), told.get('error')];
  if (code && begun) return { code, verifier: begun.verifier };
  throw new HomingError(error && isServerCode(error) ? error : ('sign_in_expired' satisfies HomingErrorCode));
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
