import type { Mention } from '../../contracts/entities/index.ts';
import type { Tx } from '../../db/client.ts';
import { membersAmong } from '../../db/queries/message-changes.ts';
import type { MessageRow } from '../../db/queries/messages.ts';
import { type Held, may } from '../access/index.ts';
import { DomainError, faultyField } from '../errors.ts';

/** The mentions of a message whose words stand in the new text just where they stood. */
export const stillStanding = (message: Pick<MessageRow, 'text' | 'mentions'>, text: string): Mention[] =>
  (message.mentions ?? []).filter(
    ({ offset, length }) => message.text?.slice(offset, offset + length) === text.slice(offset, offset + length),
  );

/**
 * Mentions that an edit adds are judged as those of a send are: of members only, and of everybody by right. The others were
 * judged when they were made: whoever has left since was mentioned all the same.
 */
export async function checkMentions(
  tx: Tx,
  { conversation, role }: Held,
  { mentions, added }: { mentions: readonly Mention[]; added: readonly Mention[] },
): Promise<void> {
  const named = added.filter((mention) => mention.type === 'user');
  const calls = added.length > named.length;
  if (calls && !may('callEverybody', conversation.kind, role)) throw mayNotCall();
  if (named.length === 0) return;
  const userIds = named.map(({ userId }) => userId);
  const members = await membersAmong(tx, conversation.id, userIds);
  const errors = named
    .filter(({ userId }) => !members.has(userId))
    .map((mention) => ({ ...noMember, path: `mentions.${mentions.indexOf(mention)}.userId` }));
  if (errors.length > 0) throw new DomainError('invalid_input', { errors });
}

const noMember = { code: 'not_a_member', message: 'must be of people who belong to this conversation' };

/** Of a send, which is judged by the one statement that stores it: that one mention is, and not which. */
export const mentionsNoMember = () => faultyField('mentions', noMember.code, noMember.message);

export const mayNotCall = () =>
  new DomainError('forbidden', { detail: 'Only owners and admins of this channel mention everyone in it.' });
