import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import type { PasskeyCreation, PasskeyRequest } from '../../contracts/entities/index.ts';

const flag = { present: 0x01, verified: 0x04, attested: 0x40 };
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest();

/** What a dishonest or mistaken browser or authenticator says otherwise. */
export interface Otherwise {
  origin?: string;
  rpId?: string;
  challenge?: string;
  type?: string;
  crossOrigin?: boolean;
  verified?: boolean;
  counter?: number;
  userHandle?: string | null;
  /** A statement with a chain of certificates. */
  certificates?: boolean;
  /** Signed with another key. */
  forged?: boolean;
}

/** A passkey in software, with real ES256 signatures, and the browser around it. */
export class Authenticator {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #credentialId = randomBytes(32);
  #userHandle: string | undefined;
  counter = 0;

  get id(): string {
    return this.#credentialId.toString('base64url');
  }

  register(options: PasskeyCreation, otherwise: Otherwise = {}) {
    this.#userHandle = options.user.id;
    const clientDataJSON = this.#clientData('webauthn.create', options.challenge, otherwise);
    const authData = Buffer.concat([this.#data(options.rp.id, flag.attested, otherwise), this.#attested()]);
    const statement = new Map<string, unknown>();
    if (otherwise.certificates)
      statement
        .set('alg', -7)
        .set('sig', new Uint8Array(8))
        .set('x5c', [new Uint8Array(8)]);
    const attestation = new Map<string, unknown>([
      ['fmt', otherwise.certificates ? 'packed' : 'none'],
      ['attStmt', statement],
      ['authData', Uint8Array.from(authData)],
    ]);
    const attestationObject = Buffer.from(isoCBOR.encode(attestation as never)).toString('base64url');
    return this.#credential({ clientDataJSON, attestationObject, transports: ['internal'] });
  }

  answer(options: PasskeyRequest, otherwise: Otherwise = {}) {
    const clientDataJSON = this.#clientData('webauthn.get', options.challenge, otherwise);
    const authData = this.#data(options.rpId, 0, otherwise);
    const signed = Buffer.concat([authData, sha256(Buffer.from(clientDataJSON, 'base64url'))]);
    const { privateKey } = otherwise.forged ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : this.#keys;
    const { userHandle = this.#userHandle } = otherwise;
    return this.#credential({
      clientDataJSON,
      authenticatorData: authData.toString('base64url'),
      signature: sign('sha256', signed, privateKey).toString('base64url'),
      ...(userHandle === null ? {} : { userHandle }),
    });
  }

  #credential<Response>(response: Response) {
    const { id } = this;
    return { id, rawId: id, type: 'public-key' as const, clientExtensionResults: {}, response };
  }

  #clientData(type: string, challenge: string, otherwise: Otherwise): string {
    const said = { type, challenge, origin: 'http://homing.test', crossOrigin: false };
    const { origin = said.origin, crossOrigin = said.crossOrigin } = otherwise;
    const data = { type: otherwise.type ?? type, challenge: otherwise.challenge ?? challenge, origin, crossOrigin };
    return Buffer.from(JSON.stringify(data)).toString('base64url');
  }

  /** WebAuthn §6.1: whose it is, what was seen of the person, how often it was used. */
  #data(rpId: string, flags: number, { rpId: other = rpId, verified = true, counter }: Otherwise): Buffer {
    const used = Buffer.alloc(4);
    used.writeUInt32BE(counter ?? (this.counter += 1));
    return Buffer.concat([sha256(other), Buffer.from([flags | flag.present | (verified ? flag.verified : 0)]), used]);
  }

  /** WebAuthn §6.5.1, with the key as COSE writes it. */
  #attested(): Buffer {
    const { x = '', y = '' } = this.#keys.publicKey.export({ format: 'jwk' });
    const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64url'));
    const key = new Map<number, unknown>([
      ...([
        [1, 2],
        [3, -7],
        [-1, 1],
      ] as const),
      ...([
        [-2, bytes(x)],
        [-3, bytes(y)],
      ] as const),
    ]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.#credentialId.length);
    return Buffer.concat([Buffer.alloc(16), length, this.#credentialId, Buffer.from(isoCBOR.encode(key as never))]);
  }
}
