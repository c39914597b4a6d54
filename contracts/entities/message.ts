import { z } from 'zod';
import { ClientId, ConversationId, MessageId, UserId } from '../ids.ts';
import { limits } from '../limits.ts';
import { Instant, Seq, Version, text } from './common.ts';

export const Priority = z.enum(['normal', 'urgent']);
export const Mention = z
  .strictObject({
    userId: UserId,
    /** Where the mention stands in the text, in UTF-16 units. */
    offset: z.int().nonnegative(),
    length: z.int().positive(),
  })
  .meta({ id: 'Mention' });
export type Mention = z.infer<typeof Mention>;

export const Message = z
  .strictObject({
    id: MessageId,
    conversationId: ConversationId,
    seq: Seq,
    version: Version,
    clientId: ClientId,
    senderId: UserId,
    kind: z.enum(['text']),
    /** Null once the message was deleted. */
    text: z.string().nullable(),
    attachments: z.array(z.never()),
    replyTo: MessageId.nullable(),
    mentions: z.array(Mention),
    priority: Priority,
    reactions: z.array(z.never()),
    createdAt: Instant,
    editedAt: Instant.nullable(),
    deletedAt: Instant.nullable(),
  })
  .meta({ id: 'Message' });
export type Message = z.infer<typeof Message>;

export const NewMessage = z
  .strictObject({
    clientId: ClientId,
    text: text(limits.messageTextLength),
    replyTo: MessageId.optional(),
    mentions: z.array(Mention).max(limits.messageMentions).optional(),
    priority: Priority.optional(),
  })
  .superRefine((message, context) => {
    message.mentions?.forEach((mention, index) => {
      if (mention.offset + mention.length <= message.text.length) return;
      context.addIssue({ code: 'custom', path: ['mentions', index], message: 'must lie inside the text' });
    });
  })
  .meta({ id: 'NewMessage' });
export type NewMessage = z.infer<typeof NewMessage>;
