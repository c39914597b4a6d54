/** Whether the person wants to be told of mentions of this kind: they do until they say otherwise. */
const wants = (kind: 'direct' | 'everyone' | 'here') => `coalesce((n.settings->'mentions'->>'${kind}')::boolean, true)`;

export const named = `(g.mentions @> jsonb_build_array(jsonb_build_object('userId', m.user_id)) and ${wants('direct')})`;

/** Members that a mention of all may have for each of them to be meant by it. */
export const meantMembers = 50;

export const mentioned = `(g.mentions is not null and (${named}
  or g.mentions @> '[{"type": "everyone"}]' and ${wants('everyone')}
  -- Who was not there when it was sent was not called.
  or g.mentions @> '[{"type": "here"}]' and ${wants('here')} and exists (
    select from here_calls h where h.conversation_id = g.conversation_id and h.seq = g.seq and h.user_id = m.user_id)))`;

/** Where blocks and people's standing in threads are read from: the tables, or what they were at an instant. */
interface Sources {
  blocks: string;
  threadMembers: string;
}

const inThread = 't.conversation_id = g.conversation_id and t.root_seq = g.thread_seq and t.user_id = m.user_id';

/** The person's level in the conversation: their own, else their general one; a channel begins with mentions. */
const conversationLevel = `coalesce(m.level, case when c.kind = 'channel' then 'mentions' else n.settings->>'level' end, 'all')`;

/** What the gates are asked by. */
export function standingBy({ threadMembers }: Pick<Sources, 'threadMembers'>) {
  return {
    followsThread: `exists (select from ${threadMembers} t where ${inThread} and t.following)`,
    /** The level by which a message is judged: the thread's own, where it stands in one that has one. */
    effectiveLevel: `coalesce(case when g.thread_seq is not null then (
  select t.level from ${threadMembers} t where ${inThread}) end, ${conversationLevel})`,
  };
}

/**
 * What an unread message must pass to call for a person's attention, each as SQL over `g` (the message), `c` (its
 * conversation), `m` (the person's membership) and `n` (their settings, where they have any).
 */
export function messageGates(sources: Sources) {
  const { effectiveLevel, followsThread } = standingBy(sources);
  const theirs = `(g.thread_seq is null or ${followsThread})`;
  // All that a thread can mean are those who follow it: with the others nothing of it is ever unread.
  const meant = `${mentioned} and (${theirs} or ${named})`;
  return {
    text: `g.kind = 'text'`,
    notDeleted: 'g.deleted_at is null',
    notOwn: 'g.sender_id <> m.user_id',
    // Who has read a reply in its thread has read it, wherever they are in the conversation.
    unread: `g.seq > m.seen_seq and (g.thread_seq is null or not exists (
    select from ${sources.threadMembers} t where ${inThread} and t.read_seq >= g.seq))`,
    // With the beginning of a thread all of it is out of reach: what cannot be opened or read there calls nobody.
    visible: 'coalesce(g.thread_seq, g.seq) > m.joined_seq',
    notBlocked: `not exists (select from ${sources.blocks} b where b.user_id = m.user_id and b.blocked_id = g.sender_id)`,
    // By the message's own time: what came into a mute is not told when it ends, however late it is looked at.
    notMuted: `(m.muted_until is null or m.muted_until <= coalesce(g.called_at, g.created_at)
    or m.mute_except = 'mentions' and g.mentions is not null and ${named})`,
    // In a channel, where thousands write and read, a person asks for more than mentions or gets none.
    level: `case ${effectiveLevel}
    when 'all' then ${theirs} or ${meant}
    when 'mentions' then c.kind = 'direct' and ${theirs} or ${meant}
    else false
  end`,
  };
}

const tables = { blocks: 'blocks', threadMembers: 'thread_members' };
const { effectiveLevel, followsThread } = standingBy(tables);
export { followsThread };

/** It calls for the person whether or not it mentions them. */
const calledAnyway = `case ${effectiveLevel}
    when 'all' then g.thread_seq is null or ${followsThread}
    when 'mentions' then c.kind = 'direct' and (g.thread_seq is null or ${followsThread})
    else false
  end`;

/**
 * When a message began to call for the person: as it was stored, or as an edit mentioned somebody, for those for whom
 * nothing but a mention counts.
 */
export const callsSince = `case when g.called_at is null or ${calledAnyway} then g.created_at else g.called_at end`;

/**
 * Whether an unread message calls for a person's attention: whether it passes all of that. Arming, the ladder's clocks,
 * what a notification tells and what support is told ask this one question, so that none says what another would not.
 */
export const notifiable = `(${Object.values(messageGates(tables)).join(' and ')})`;

/**
 * The messages of a range, for a `cross join lateral`. `offset 0` keeps the planner from pulling it apart: it would
 * read a conversation's whole history and throw most of it away.
 */
export const messagesBetween = (conversationId: string, from: string, to: string) =>
  `(select * from messages where conversation_id = ${conversationId} and seq between ${from} and ${to} offset 0) g`;

/**
 * Whether a client of the person's has said that it holds what is armed, over `a` (that), `c` and `m`. In channels nobody
 * says so.
 */
export const acknowledged = `(c.kind = 'channel' or m.delivered_seq >= a.last_seq)`;
