import { hash } from 'node:crypto';

/** Of the content as it was sent, so that a repeat is told from another message even after an edit. */
export const fingerprint = (...content: unknown[]): Buffer => hash('sha256', JSON.stringify(content), 'buffer');
