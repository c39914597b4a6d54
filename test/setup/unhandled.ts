import assert from 'node:assert/strict';

/** Rejections that nobody took, of the server's as of the tests'. */
const unhandled: unknown[] = [];
const keep = (reason: unknown) => void unhandled.push(reason);

function refuse(): void {
  const reasons = unhandled.splice(0);
  assert.deepEqual(reasons, [], 'a rejection that nobody takes ends a process of ours');
}

/**
 * Mocha's parallel workers pass over a rejection that nobody handles, where Node ends the process: a handler that throws
 * beside its promise would stay green. Mocha takes all listeners off after each file, so each file puts this one on.
 */
export const mochaHooks = {
  beforeAll: () => void process.on('unhandledRejection', keep),
  afterEach: refuse,
  afterAll: refuse,
};
