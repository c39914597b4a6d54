import { argon2, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { CodedError, retrySoonMs } from '../contracts/errors.ts';
import type { Log, Passwords } from '../domain/deps.ts';
import { isCommonPassword } from './common-passwords.ts';
import type { Pepper, Peppers } from './config-types.ts';

const hashing = promisify(argon2);

export interface PasswordOptions {
  /** MiB of one hash. */
  memoryMiB: number;
  peppers: Peppers;
  log: Log;
  /** Whether it was leaked somewhere, as far as anybody is asked. */
  isLeaked?: Passwords['isLeaked'];
}

const passes = 3;
const gate = {
  /** Hashes at once in this process: they share libuv's pool with DNS and files, and 64 queued logins stall both. */
  slots: 2,
  /** Logins that may wait; one more is refused. */
  queue: 50,
};

/** argon2id (RFC 9106) in the PHC string format, behind a gate. 64 MiB and three passes take about 70 ms. */
export function createPasswords({ memoryMiB, peppers, log, isLeaked }: PasswordOptions): Passwords {
  const memoryKiB = memoryMiB * 1_024;
  const run = createGate();
  const ring = createRing(peppers, log);
  const derive = (password: string, { salt, memory, rounds, pepper }: Recipe) =>
    hashing('argon2id', {
      // The pepper stands outside the table: a stolen table alone cannot be guessed against.
      message: createHmac('sha256', pepper).update(password).digest(),
      nonce: salt,
      parallelism: 1,
      tagLength: 32,
      memory,
      passes: rounds,
    }) as Promise<Buffer>;
  const today = (): Recipe => ({
    ...{ salt: randomBytes(16), memory: memoryKiB, rounds: passes },
    pepper: ring.current.key,
  });
  const encode = ({ salt, memory, rounds }: Recipe, hash: Buffer) =>
    `$argon2id$v=19$m=${memory},t=${rounds},p=1${keyIdOf(ring.current)}$${unpadded(salt)}$${unpadded(hash)}`;
  // The same work for a person that does not exist.
  const nobody = encode(today(), randomBytes(32));

  return {
    hash: (password) =>
      run(async () => {
        const recipe = today();
        return encode(recipe, await derive(password, recipe));
      }),
    verify: (password, known) =>
      run(async () => {
        const stored = known ?? nobody;
        const { hash, kid, ...how } = decode(stored);
        const pepper = ring.find(kid);
        // Whose pepper is gone is worked on all the same: time must not tell that the person exists.
        const derived = await derive(password, { ...how, pepper: pepper?.key ?? ring.current.key });
        return timingSafeEqual(derived, hash) && pepper !== undefined && stored !== nobody;
      }),
    needsRehash(stored) {
      const { memory, rounds, kid } = decode(stored);
      return memory < memoryKiB || rounds < passes || kid !== ring.current.kid;
    },
    isCommon: isCommonPassword,
    isLeaked: isLeaked ?? (async () => false),
  };
}

/** What a hash is made with, beside the password. */
interface Recipe {
  salt: Buffer;
  memory: number;
  rounds: number;
  pepper: string;
}

/** The first pepper is mixed in, all are understood. A hash that names none was made with the last: the one there was. */
function createRing(peppers: Peppers, log: Log) {
  const [current] = peppers;
  const missing = new Set<string>();
  return {
    current,
    find(kid: string | null): Pepper | undefined {
      const pepper = kid === null ? peppers.at(-1) : peppers.find((each) => each.kid === kid);
      // Said once for each: people try again and again.
      if (!pepper && kid !== null && !missing.has(kid)) {
        missing.add(kid);
        log.error(
          'a password hash was made with a pepper that HOMING_PASSWORD_PEPPER does not hold; who has such a hash cannot sign in until it does, or until they choose a new password',
          { kid },
        );
      }
      return pepper;
    },
  };
}

/** The id as the PHC format has it for Argon2: base64 in the parameter `keyid`. */
const keyIdOf = ({ kid }: Pepper) => (kid === null ? '' : `,keyid=${unpadded(Buffer.from(kid))}`);

function decode(stored: string) {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1(?:,keyid=([\w+/]+))?\$([\w+/]+)\$([\w+/]+)$/.exec(stored);
  if (!match) throw new Error('a stored password hash is not readable');
  const [, memory, rounds, keyId, salt = '', hash = ''] = match;
  return {
    memory: Number(memory),
    rounds: Number(rounds),
    kid: keyId === undefined ? null : Buffer.from(keyId, 'base64').toString(),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');

function createGate() {
  let busy = 0;
  const waiting: (() => void)[] = [];
  const enter = () =>
    new Promise<void>((resolve, reject) => {
      if (busy < gate.slots) {
        busy += 1;
        return resolve();
      }
      if (waiting.length >= gate.queue) return reject(new CodedError('overloaded', { retryAfterMs: retrySoonMs }));
      waiting.push(resolve);
    });
  const leave = () => {
    const next = waiting.shift();
    // The slot is handed on: counting it down and up again would let a newcomer in between.
    if (next) next();
    else busy -= 1;
  };
  return async <T>(work: () => Promise<T>): Promise<T> => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
