import type { Mention } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Tx } from '../../db/client.ts';
import { membersAmong } from '../../db/queries/message-changes.ts';
import { type Held, may } from '../access/index.ts';
import { DomainError, faultyField } from '../errors.ts';

/** Mentions of an edit are judged as those of a send are: of members only, and of everybody by right. */
export async function checkMentions(tx: Tx, { conversation, role }: Held, mentions: readonly Mention[]): Promise<void> {
  const userIds = mentions.flatMap((mention) => (mention.type === 'user' ? [mention.userId] : []));
  const calls = mentions.length > userIds.length;
  if (calls && !may('callEverybody', conversation.kind, role)) throw mayNotCall();
  if (userIds.length === 0) return;
  const members = await membersAmong(tx, conversation.id, userIds as UserId[]);
  if (userIds.some((userId) => !members.has(userId))) throw mentionsNoMember();
}

export const mentionsNoMember = () =>
  faultyField('mentions', 'not_a_member', 'must be of people who belong to this conversation');

export const mayNotCall = () =>
  new DomainError('forbidden', { detail: 'Only owners and admins of this channel mention everyone in it.' });
