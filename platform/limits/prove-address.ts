/** Of a network that no machine has (RFC 5737, TEST-NET-3). */
const forged = '203.0.113.66';
const answerMs = 3_000;

/** Where each door says what it takes somebody's address for: in front of us sockets may go another way than REST. */
export const addressPaths = { api: '/v1/address', realtime: '/socket.io/address' };

/**
 * Asks ourselves, by the way that people come, with an address that was made up. `forged` where it was believed; `unknown`
 * where nobody answered at that address, which is no proof of anything.
 */
export async function askWithForgedAddress(
  url: string,
  path: string = addressPaths.api,
): Promise<'own' | 'forged' | 'unknown'> {
  try {
    const response = await fetch(new URL(path, url), {
      headers: { 'x-forwarded-for': forged },
      signal: AbortSignal.timeout(answerMs),
    });
    const { address } = (await response.json()) as { address?: unknown };
    if (typeof address !== 'string') return 'unknown';
    return address === forged ? 'forged' : 'own';
  } catch {
    return 'unknown';
  }
}
