import { createHash, randomUUID } from 'node:crypto';

/** Ids and chances. The same seed gives the same ones in the same order; without a seed they are new in every run. */
export class Ids {
  readonly #seed: string;
  #count = 0;

  constructor(seed: string = randomUUID()) {
    this.#seed = seed;
  }

  /** 32 hex digits, as in a Twilio SID. */
  hex(): string {
    return this.#digest().toString('hex', 0, 16);
  }

  /** A UUID (version 8: of one's own making). */
  uuid(): string {
    const hex = this.hex();
    const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)];
    return parts.join('-');
  }

  /** From 0 up to, not including, 1. */
  chance(): number {
    return this.#digest().readUInt32BE(0) / 2 ** 32;
  }

  #digest(): Buffer {
    return createHash('sha256')
      .update(`${this.#seed}/${(this.#count += 1)}`)
      .digest();
  }
}
