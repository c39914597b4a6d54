import type { MyNotification, Reason } from '../../contracts/entities/index.ts';
import type { AttemptId, UserId } from '../../contracts/ids.ts';
import type { Queryable } from '../../db/client.ts';
import { type AttemptRow, attemptOf } from '../../db/queries/attempts.ts';
import type { DecisionRow } from '../../db/queries/decisions.ts';
import { decisionForAttempt } from '../../db/queries/stories.ts';
import { decisionBefore, emailFrequencyAt, toldConversations, toldMessages } from '../../db/queries/told.ts';
import { type UserRow, userById } from '../../db/queries/users.ts';
import type { Actor, Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { type OwnWords, type ToldToMe, inOwnWords } from './own-words.ts';

export type { OwnWords } from './own-words.ts';

/** What a person may know of a notification of their own: what it told of, and why it came then and in this way. */
export async function explainMyNotification(
  { db }: Pick<Deps, 'db'>,
  { userId }: Actor,
  id: AttemptId,
): Promise<MyNotification> {
  const user = await userById(db, userId);
  const mine = user && (await sentTo(db, userId, id));
  if (!mine)
    throw new DomainError('not_found', {
      detail:
        'There is no such notification of yours; take the id from the push, or from the link of the mail or text.',
    });
  const told = await whatWasTold(db, user, mine);
  const messages = await toldMessages(db, userId, mine);
  const { heading, conversations, because, sentence } = inOwnWords(told, user);
  return {
    channel: mine.channel,
    sentAt: mine.sentAt.toISOString(),
    messages: messages.map((message) => ({ ...message, createdAt: message.createdAt.toISOString() })),
    reason: told.reason,
    sentence,
    sentences: [heading, ...conversations, ...because],
  };
}

/** The same of a mail, for the page behind its link; undefined where its records are gone. */
export async function ownWordsOf({ db }: Pick<Deps, 'db'>, user: UserRow, id: string): Promise<OwnWords | undefined> {
  const mail = await sentTo(db, user.id, id);
  return mail?.channel === 'email' ? inOwnWords(await whatWasTold(db, user, mail), user) : undefined;
}

type Sent = AttemptRow & { sentAt: Date };

/** Only what a provider was asked for can have reached anybody. */
async function sentTo(db: Queryable, userId: UserId, id: string): Promise<Sent | undefined> {
  const attempt = await attemptOf(db, userId, id);
  const sentAt = attempt?.calledAt ?? (attempt?.state === 'accepted' ? attempt.claimedAt : undefined);
  return attempt && sentAt && { ...attempt, sentAt };
}

async function whatWasTold(db: Queryable, user: UserRow, sent: Sent): Promise<ToldToMe> {
  const decision = await decisionForAttempt(db, user.id, sent);
  const reason = decision ? await reasonOf(db, user.id, decision) : null;
  return {
    ...sent,
    reason,
    decidedAt: decision?.at ?? sent.claimedAt,
    pushReason: decision && sent.channel !== 'push' ? pushReasonOf(decision, sent.covers) : undefined,
    frequency: reason === 'next_digest' ? await emailFrequencyAt(db, user.id, sent.claimedAt) : undefined,
    conversations: await toldConversations(db, user.id, sent),
  };
}

/** That it was due says little: what it last waited for does, where it waited. */
async function reasonOf(db: Queryable, userId: UserId, decision: DecisionRow): Promise<Reason> {
  const before = decision.reason === 'due' ? await decisionBefore(db, userId, decision) : undefined;
  return (before?.outcome === 'deferred' ? before.reason : decision.reason) as Reason;
}

interface Evaluated {
  channel: string;
  reason: Reason;
  conversationId?: string;
}

/** How the push was found when something else was sent: as a whole, or of a conversation that was told. */
function pushReasonOf({ evaluation }: DecisionRow, covers: AttemptRow['covers']): Reason | undefined {
  const told = new Set<string | undefined>(covers.map(({ conversationId }) => conversationId));
  return (evaluation as Evaluated[]).find(
    ({ channel, conversationId }) => channel === 'push' && (conversationId === undefined || told.has(conversationId)),
  )?.reason;
}
