import { argon2, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { CodedError, retrySoonMs } from '../contracts/errors.ts';
import type { Passwords } from '../domain/deps.ts';

const hashing = promisify(argon2);

export interface PasswordOptions {
  /** MiB of one hash. */
  memoryMiB: number;
  pepper: string;
}

const passes = 3;
const gate = {
  /** Hashes at once in this process: they share libuv's pool with DNS and files, and 64 queued logins stall both. */
  slots: 2,
  /** Logins that may wait; one more is refused. */
  queue: 50,
};

/** argon2id (RFC 9106) in the PHC string format, behind a gate. 64 MiB and three passes take about 70 ms. */
export function createPasswords({ memoryMiB, pepper }: PasswordOptions): Passwords {
  const memoryKiB = memoryMiB * 1_024;
  const run = createGate();
  const derive = (password: string, salt: Buffer, memory: number, rounds: number) =>
    hashing('argon2id', {
      // The pepper stands outside the table: a stolen table alone cannot be guessed against.
      message: createHmac('sha256', pepper).update(password).digest(),
      nonce: salt,
      parallelism: 1,
      tagLength: 32,
      memory,
      passes: rounds,
    }) as Promise<Buffer>;
  const encode = (salt: Buffer, hash: Buffer) =>
    `$argon2id$v=19$m=${memoryKiB},t=${passes},p=1$${unpadded(salt)}$${unpadded(hash)}`;
  // The same work for a person that does not exist.
  const nobody = encode(randomBytes(16), randomBytes(32));

  return {
    hash: (password) =>
      run(async () => {
        const salt = randomBytes(16);
        return encode(salt, await derive(password, salt, memoryKiB, passes));
      }),
    verify: (password, stored = nobody) =>
      run(async () => {
        const { memory, rounds, salt, hash } = decode(stored);
        return timingSafeEqual(await derive(password, salt, memory, rounds), hash) && stored !== nobody;
      }),
    needsRehash(stored) {
      const { memory, rounds } = decode(stored);
      return memory < memoryKiB || rounds < passes;
    },
  };
}

function decode(stored: string) {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([\w+/]+)\$([\w+/]+)$/.exec(stored);
  if (!match) throw new Error('a stored password hash is not readable');
  const [, memory, rounds, salt, hash] = match as unknown as [string, string, string, string, string];
  return {
    memory: Number(memory),
    rounds: Number(rounds),
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
