export const mentioned = `(g.mentions is not null and (g.mentions @> jsonb_build_array(jsonb_build_object('userId', m.user_id))
  or g.mentions @> '[{"type": "everyone"}]'
  -- Who was not there when it was sent was not called.
  or g.mentions @> '[{"type": "here"}]' and exists (
    select from here_calls h where h.conversation_id = g.conversation_id and h.seq = g.seq and h.user_id = m.user_id)))`;

/** The person's level in the conversation: their own, else their general one; a channel begins with mentions. */
export const effectiveLevel = `coalesce(m.level, case when c.kind = 'channel' then 'mentions' else n.settings->>'level' end, 'all')`;

export const followsThread = `exists (
  select from thread_members t where t.conversation_id = g.conversation_id and t.root_seq = g.thread_seq
    and t.user_id = m.user_id and t.following)`;

/**
 * What an unread message must pass to call for a person's attention, each as SQL over `g` (the message), `c` (its
 * conversation), `m` (the person's membership) and `n` (their settings, where they have any).
 */
export const messageGates = {
  text: `g.kind = 'text'`,
  notDeleted: 'g.deleted_at is null',
  notOwn: 'g.sender_id <> m.user_id',
  // Who has read a reply in its thread has read it, wherever they are in the conversation.
  unread: `g.seq > m.seen_seq and (g.thread_seq is null or not exists (
    select from thread_members t where t.conversation_id = g.conversation_id and t.root_seq = g.thread_seq
      and t.user_id = m.user_id and t.read_seq >= g.seq))`,
  visible: 'g.seq > m.joined_seq',
  notBlocked: 'not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = g.sender_id)',
  // In a channel, where thousands write and read, a person asks for more than mentions or gets none.
  level: `case ${effectiveLevel}
    when 'all' then ${mentioned} or g.thread_seq is null or ${followsThread}
    when 'mentions' then c.kind = 'direct' or ${mentioned}
    else false
  end`,
};

/**
 * Whether an unread message calls for a person's attention: whether it passes all of that. Arming, the ladder's clocks,
 * what a notification tells and what support is told ask this one question, so that none says what another would not.
 */
export const notifiable = `(${Object.values(messageGates).join(' and ')})`;

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
