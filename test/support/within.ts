import { AssertionError } from 'node:assert/strict';

/** Milliseconds; less than a test's own limit, so that what never came is told by name. */
const waitMs = 15_000;

/** What is awaited comes about; else the test fails by saying what did not. */
export async function within<T>(what: string, awaited: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AssertionError({ message: `it never came about: ${what}` })), waitMs);
  });
  return Promise.race([awaited, late]).finally(() => clearTimeout(timer));
}
