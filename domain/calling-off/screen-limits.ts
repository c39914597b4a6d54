export const screenLimits = {
  /** People in one round. */
  people: 100,
  /** Milliseconds from a reading or a deletion to the look: what comes together is taken down together. */
  delayMs: 3_000,
  /** Milliseconds between two messages to one person's devices: systems give silent ones a small allowance. */
  restMs: 30_000,
  /** Conversations that one message takes down: with their ids it stays below 3,500 bytes. */
  conversations: 20,
  /** Seconds that a provider keeps it for a device that is away: afterwards the app learns it by itself. */
  ttlSeconds: 86_400,
};
