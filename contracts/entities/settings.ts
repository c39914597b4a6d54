import { z } from 'zod';

/** `open`: anybody may find and join it. */
export const Visibility = z.enum(['invited', 'open']);
/** Who may write: all but read-only members, or owners and admins alone. */
export const Posting = z.enum(['members', 'admins']);
/** What new members may read. */
export const History = z.enum(['all', 'joining']);

/** What owners and admins may change of a conversation. */
export const ConversationSettings = z
  .strictObject({
    title: z.string().nullable(),
    description: z.string().nullable(),
    visibility: Visibility,
    posting: Posting,
    history: History,
  })
  .meta({ id: 'ConversationSettings' });
export type ConversationSettings = z.infer<typeof ConversationSettings>;
