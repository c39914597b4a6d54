import { z } from 'zod';
import { isExpression } from './pattern.ts';

/** Milliseconds that one long poll may wait. */
export const maxWaitMs = 120_000;

const word = z.string().max(500).optional();
const after = z.coerce.number().int().nonnegative().optional();
const provider = z.enum(['fcm', 'sendgrid', 'twilio']).optional();

/** What each list can be asked for. */
export const filters = {
  items: z.strictObject({
    to: word,
    /** A regular expression that the recipient fits. */
    pattern: z.string().max(500).refine(isExpression, { message: 'must be a regular expression' }).optional(),
    channel: z.enum(['push', 'email', 'sms']).optional(),
    provider,
    attemptId: word,
    /** A part of the title or the text. */
    text: word,
    status: word,
    event: word,
    /** Only what came after this seq. */
    after,
  }),
  requests: z.strictObject({ provider, to: word, attemptId: word, method: word, path: word, status: word, after }),
  callbacks: z.strictObject({
    provider,
    kind: z.enum(['events', 'status', 'inbound', 'parse']).optional(),
    itemId: word,
    attemptId: word,
    event: word,
    status: word,
    signature: word,
    after,
  }),
};
