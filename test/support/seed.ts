import { randomInt } from 'node:crypto';

/** Another one in every run, unless FUZZ_SEED names one, so that every run looks at something new. */
export const fuzzSeed = process.env.FUZZ_SEED ? Number(process.env.FUZZ_SEED) : randomInt(2 ** 31);

/** Runs what is made of the seed; a failure says how to have the same again. */
export async function withSeed(work: (seed: number) => Promise<void>): Promise<void> {
  try {
    await work(fuzzSeed);
  } catch (error) {
    throw Object.assign(error as Error, { message: `FUZZ_SEED=${fuzzSeed}: ${(error as Error).message}` });
  }
}
