/** What a body holds where it proves something, and what that is called where it is written down. */
const byField = { password: 'password', code: 'totp', recoveryCode: 'recovery_code', passkey: 'passkey' } as const;

const byOperation: Readonly<Record<string, string>> = {
  login: 'password',
  changePassword: 'password',
  signInWithPasskey: 'passkey',
  exchangeCode: 'provider',
  resetPassword: 'link',
  refresh: 'refresh_token',
};
const asGiven: ReadonlySet<string> = new Set(['secondFactor', 'stepUp']);

/**
 * By what somebody proves who they are in a call, well or badly; undefined where it is no proof. The body may be anything:
 * nothing of it is said but which of these words stands in it.
 */
export function factorUsed(operation: string | undefined, body: unknown): string | undefined {
  if (operation === undefined) return undefined;
  if (!asGiven.has(operation)) return byOperation[operation];
  if (typeof body !== 'object' || body === null) return undefined;
  const field = Object.keys(byField).find((name) => Object.hasOwn(body, name));
  return byField[field as keyof typeof byField];
}
