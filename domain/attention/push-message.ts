import { createHash } from 'node:crypto';
import type { NotificationSettings } from '../../contracts/entities/index.ts';
import type { ConversationId, UserId } from '../../contracts/ids.ts';
import type { Announced } from '../../db/queries/announcements.ts';
import type { Badge } from '../../db/queries/screens.ts';
import type { UserRow } from '../../db/queries/users.ts';
import type { Deps, PushMessage } from '../deps.ts';
import { wordingFor } from '../wording/index.ts';
import { lastUse, linkTo, secondsLeft } from './delivery.ts';
import { fitPush, renderPush } from './render.ts';

/** What a conversation is called on a person's screen: the same for each push about it, and nothing that says which it is. */
export const keyOfScreen = (userId: UserId, conversationId: ConversationId): string =>
  createHash('sha256').update(`${userId}${conversationId}`).digest('hex').slice(0, 32);

/** What one push tells: messages of one conversation. */
interface PushContent {
  user: UserRow;
  settings: NotificationSettings;
  told: readonly Announced[];
  attemptId: string;
  urgent: boolean;
  /** Without it the push only changes what is displayed. */
  sound: boolean;
  /** By whose clock it keeps quiet hours. */
  pushZone: string;
}

export function toPush(
  deps: Pick<Deps, 'now' | 'ladder' | 'publicUrl'>,
  { user, settings, told, attemptId, urgent, sound, pushZone }: PushContent,
  { platform, token }: Pick<PushMessage, 'platform' | 'token'>,
  badge: Badge,
): PushMessage {
  const newest = told.at(-1) as Announced;
  const { conversationId, seq, id, createdAt } = newest;
  const urgentUntil = createdAt.getTime() + deps.ladder.urgent.untilMs;
  const data = {
    kind: 'message',
    attemptId,
    conversationId,
    messageId: id,
    seq: String(seq),
    count: String(newest.count),
    badgeRevision: String(badge.revision),
    preview: settings.preview,
    link: linkTo(deps, { attemptId })(newest),
  };
  return {
    ...{ platform, token, attemptId },
    conversationKey: keyOfScreen(user.id, conversationId),
    ...fitPush(renderPush(newest, settings.preview, wordingFor(user.locale)), data),
    data,
    badge: badge.count,
    urgent,
    sound,
    ttlSeconds: secondsLeft(
      deps,
      urgent ? urgentUntil : lastUse(deps, { user, settings, claim: { pushZone } }, 'push', createdAt),
    ),
  };
}
