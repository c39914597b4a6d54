import type { AttemptStory } from '../../contracts/entities/index.ts';
import type { AttemptId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { ownerOfAttempt } from '../../db/queries/attempt-reports.ts';
import { decisionForAttempt, messagesCovered, toldAttemptOf } from '../../db/queries/stories.ts';
import { commit } from '../commit.ts';
import type { Deps } from '../deps.ts';
import { notFound } from '../errors.ts';
import { type By, audit } from '../audit/index.ts';
import { toldAttempt, toldDecision } from './tell-episodes.ts';

/**
 * The other way round: of one notification, by the id that a push, a link and a provider's records hold, whom it was for,
 * which messages it told, why it was sent and what was heard of it.
 */
export async function explainAttempt(
  deps: Pick<Deps, 'db' | 'newId' | 'publishLive'>,
  by: By,
  id: AttemptId,
): Promise<AttemptStory> {
  return commit(deps, async (tx) => {
    const userId = await ownerOfAttempt(tx, id);
    const row = userId && (await toldAttemptOf(tx, userId, id, limits.storyEntriesPerEpisode));
    if (!row) throw notFound();
    const decision = await decisionForAttempt(tx, userId, row);
    const messages = await messagesCovered(tx, row.covers, limits.messagesOfAttempt);
    const value: AttemptStory = {
      userId,
      episode: row.episode,
      attempt: toldAttempt(row),
      decision: decision ? toldDecision(decision) : null,
      messages: messages.map((message) => ({ ...message, createdAt: message.createdAt.toISOString() })),
    };
    await audit(tx, deps, by, { action: 'explain_attempt', userId });
    return { value };
  });
}
