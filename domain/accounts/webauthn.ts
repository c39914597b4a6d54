import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import type {
  NewPasskeyAnswer,
  PasskeyAnswer,
  PasskeyCreation,
  PasskeyRequest,
} from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import type { PasskeyRow } from '../../db/queries/passkeys.ts';
import type { UserRow } from '../../db/queries/users.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';

/** ES256, EdDSA and RS256: what authenticators have (COSE algorithms). */
const algorithms = [-7, -8, -257];
const timeout = limits.challengeSeconds * 1_000;

/** A passkey belongs to a host (WebAuthn's RP id): that of the address at which people find us. */
const rpIdOf = ({ publicUrl }: Pick<Deps, 'publicUrl'>) => new URL(publicUrl).hostname;

const describe = ({ credentialId, transports }: PasskeyRow) => ({
  id: credentialId.toString('base64url'),
  type: 'public-key' as const,
  transports,
});

/** How an authenticator knows a person: by their id, which says nothing about them. */
export const handleOf = (userId: UserId): string =>
  Buffer.from(userId.replaceAll('-', ''), 'hex').toString('base64url');

/** What a browser asks for; of whoever is there, where no passkeys are named. */
export const requestFor = (
  deps: Pick<Deps, 'publicUrl'>,
  challenge: string,
  passkeys: readonly PasskeyRow[],
): PasskeyRequest => ({
  ...{ challenge, rpId: rpIdOf(deps), timeout },
  allowCredentials: passkeys.map(describe),
  userVerification: 'required',
});

export const creationFor = (
  deps: Pick<Deps, 'publicUrl'>,
  challenge: string,
  { id, email, phone, displayName }: UserRow,
  passkeys: readonly PasskeyRow[],
): PasskeyCreation => ({
  challenge,
  rp: { id: rpIdOf(deps), name: 'Homing' },
  user: { id: handleOf(id), name: email ?? phone ?? displayName, displayName },
  pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
  timeout,
  attestation: 'none',
  excludeCredentials: passkeys.map(describe),
  authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
});

/** The challenge that was signed, as the browser wrote it down. Nothing is believed of it but what is then looked up. */
export function challengeIn({ response }: Pick<PasskeyAnswer | NewPasskeyAnswer, 'response'>): string {
  const { challenge, crossOrigin } = readClientData(response.clientDataJSON);
  // Another site that shows us in a frame asks for nobody's passkey.
  if (typeof challenge !== 'string' || crossOrigin === true) throw notRight();
  return challenge;
}

function readClientData(clientDataJSON: string): { challenge?: unknown; crossOrigin?: unknown } {
  try {
    return (JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as object | null) ?? {};
  } catch {
    throw notRight();
  }
}

/** What was wrong exactly helps only who tries; the library's words quote what it was given. */
export const notRight = () => new DomainError('invalid_passkey');

async function refusing<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch {
    throw notRight();
  }
}

/** What a new passkey says of itself, checked against what it was asked. */
export function checkNewPasskey(
  deps: Pick<Deps, 'publicUrl' | 'origins'>,
  { id, rawId, type, response }: NewPasskeyAnswer,
  challenge: string,
): Promise<{ credentialId: Buffer; publicKey: Buffer; counter: number }> {
  const { clientDataJSON, attestationObject } = response;
  return refusing(async () => {
    refuseCertificates(attestationObject);
    const { registrationInfo } = await verifyRegistrationResponse({
      response: { id, rawId, type, response: { clientDataJSON, attestationObject }, clientExtensionResults: {} },
      expectedChallenge: challenge,
      ...{ expectedOrigin: [...deps.origins], expectedRPID: rpIdOf(deps) },
      ...{ requireUserVerification: true, supportedAlgorithmIDs: algorithms },
    });
    if (!registrationInfo) throw notRight();
    const { credential } = registrationInfo;
    return {
      credentialId: Buffer.from(credential.id, 'base64url'),
      publicKey: Buffer.from(credential.publicKey),
      counter: credential.counter,
    };
  });
}

/** We ask for no attestation. A chain of certificates would be followed, to wherever whoever made it wants it to lead. */
function refuseCertificates(attestationObject: string): void {
  const attestation = decodeAttestationObject(Uint8Array.from(Buffer.from(attestationObject, 'base64url')));
  const format = attestation.get('fmt');
  const isOwn = format === 'none' || (format === 'packed' && attestation.get('attStmt').get('x5c') === undefined);
  if (!isOwn) throw notRight();
}

/** Checks what a passkey answered, and that its person was verified; answers with its counter. */
export function checkPasskey(
  deps: Pick<Deps, 'publicUrl' | 'origins'>,
  { publicKey, counter, credentialId }: PasskeyRow,
  { id, rawId, type, response }: PasskeyAnswer,
  challenge: string,
): Promise<number> {
  const { clientDataJSON, authenticatorData, signature } = response;
  return refusing(async () => {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...{ id, rawId, type, clientExtensionResults: {} },
        response: { clientDataJSON, authenticatorData, signature },
      },
      expectedChallenge: challenge,
      ...{ expectedOrigin: [...deps.origins], expectedRPID: rpIdOf(deps), requireUserVerification: true },
      credential: { id: credentialId.toString('base64url'), publicKey: Uint8Array.from(publicKey), counter },
    });
    if (!verified) throw notRight();
    return authenticationInfo.newCounter;
  });
}
