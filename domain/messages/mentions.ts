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
 * Mentions that an edit adds are judged as those of a send are: of members only, in a thread of those who can read it, and of
 * everybody by right. The others were judged when they were made: whoever has left since was mentioned all the same.
 */
export async function checkMentions(
  tx: Tx,
  { conversation, role, message }: Held & { message: Pick<MessageRow, 'threadSeq'> },
  { mentions, added }: { mentions: readonly Mention[]; added: readonly Mention[] },
): Promise<void> {
  const named = added.filter((mention) => mention.type === 'user');
  const calls = added.length > named.length;
  if (calls && !may('callEverybody', conversation.kind, role)) throw mayNotCall();
  if (named.length === 0) return;
  const userIds = named.map(({ userId }) => userId);
  const members = await membersAmong(tx, conversation.id, userIds);
  const errors = named.flatMap((mention) => {
    const fault = faultOf(members.get(mention.userId), message);
    return fault ? [{ ...fault, path: `mentions.${mentions.indexOf(mention)}.userId` }] : [];
  });
  if (errors.length > 0) throw new DomainError('invalid_input', { errors });
}

/** In a thread that began before they may read, a mention would tell nobody anything. */
function faultOf(member: { joinedSeq: number } | undefined, { threadSeq }: Pick<MessageRow, 'threadSeq'>) {
  if (!member) return noMember;
  return threadSeq !== null && threadSeq <= member.joinedSeq ? outOfReach : undefined;
}

const noMember = { code: 'not_a_member', message: 'must be of people who belong to this conversation' };

const outOfReach = {
  code: 'out_of_reach',
  message:
    'must be of people who can read the thread, which began before they joined; mention them outside of the thread',
};

/** Of a send, which is judged by the one statement that stores it: that one mention is, and not which. */
export const mentionsNoMember = () => faultyField('mentions', noMember.code, noMember.message);

export const mentionsOutOfReach = () => faultyField('mentions', outOfReach.code, outOfReach.message);

export const mayNotCall = () =>
  new DomainError('forbidden', { detail: 'Only owners and admins of this channel mention everyone in it.' });
