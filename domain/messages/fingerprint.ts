import { createHash } from 'node:crypto';

/** Of the content as it was sent, so that a repeat is told from another message even after an edit. */
export const fingerprint = (...content: unknown[]): Buffer =>
  createHash('sha256').update(JSON.stringify(content)).digest();
