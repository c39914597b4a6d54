import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';
import { notifiable } from './notifiable.ts';

export interface UnreadRecipient {
  userId: UserId;
  timeZone: string;
  /** Null where they never changed the defaults. */
  settings: Partial<NotificationSettings> | null;
}

/** For whom one message is unread and calls for their attention, and when they want to be left alone. */
export async function unreadRecipients(
  db: Queryable,
  { conversationId, seq }: { conversationId: ConversationId; seq: number },
): Promise<UnreadRecipient[]> {
  const { rows } = await db.query<UnreadRecipient>({
    name: 'unread-recipients',
    text: `
      select m.user_id as "userId", u.time_zone as "timeZone", n.settings
      from messages g
      join conversations c on c.id = g.conversation_id
      join members m on m.conversation_id = g.conversation_id and m.left_at is null
        and (m.muted_until is null or m.muted_until <= now() or m.mute_except is not null)
      join users u on u.id = m.user_id and u.status = 'active'
      left join notification_settings n on n.user_id = m.user_id
      where g.conversation_id = $1 and g.seq = $2 and ${notifiable}
      order by m.user_id`,
    values: [conversationId, seq],
  });
  return rows;
}
