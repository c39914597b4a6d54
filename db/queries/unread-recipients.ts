import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../client.ts';
import { pushZone } from './devices.ts';
import { messageGates } from './notifiable.ts';
import { asOf } from './past-rules.ts';

export interface UnreadRecipient {
  userId: UserId;
  /** Of the device that was seen last and has told its own, else of the account. */
  timeZone: string;
  /** Null where they never changed the defaults. */
  settings: Partial<NotificationSettings> | null;
}

const whenSent = asOf('g.created_at');
const { unread, ...otherGates } = messageGates(whenSent);

/**
 * For whom one message calls by the rules that they had when it was sent, and is unread as far as its sender is told;
 * with how they want to be left alone now. Rules that came afterwards would say who has blocked or muted the sender, and a
 * reading that is not told would be told, by whose name goes.
 */
export async function unreadRecipients(
  db: Queryable,
  { conversationId, seq }: { conversationId: ConversationId; seq: number },
): Promise<UnreadRecipient[]> {
  const { rows } = await db.query<UnreadRecipient>({
    name: 'unread-recipients',
    text: `
      select u.id as "userId", coalesce(${pushZone('u.id')}, u.time_zone) as "timeZone", s.settings
      from messages g
      join conversations c on c.id = g.conversation_id
      join members p on p.conversation_id = g.conversation_id and p.left_at is null and p.came_seq < g.seq
      join users u on u.id = p.user_id and u.status = 'active'
      join lateral ${whenSent.membership('p.conversation_id', 'p.user_id')} m on true
      left join lateral ${whenSent.settings('p.user_id')} n on true
      left join notification_settings s on s.user_id = p.user_id
      where g.conversation_id = $1 and g.seq = $2 and ${Object.values(otherGates).join(' and ')}
        -- Between two, one of whom has blocked the other, no reading is told.
        and (${unread} or not u.tell_read or c.blocked)
      order by u.id`,
    values: [conversationId, seq],
  });
  return rows;
}
