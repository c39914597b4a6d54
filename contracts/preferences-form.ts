import { z } from 'zod';
import { EmailFrequency, LocalTime } from './entities/index.ts';
import { ConversationId } from './ids.ts';
import { limits } from './limits.ts';

/**
 * What the page behind a mail's link posts: a plain HTML form, so each field is text, and a box that is not ticked is not
 * sent. `shown` names the conversations that the page had a box for, `mail` those whose box is ticked.
 */
export const PreferencesForm = z.strictObject({
  emailFrequency: EmailFrequency,
  emailDigestAt: LocalTime,
  weeklySummary: z.literal('on').optional(),
  shown: z.array(ConversationId).max(limits.preferencesConversations),
  mail: z.array(ConversationId).max(limits.preferencesConversations),
});
export type PreferencesForm = z.infer<typeof PreferencesForm>;
