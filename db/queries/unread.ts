import { limits } from '../../contracts/limits.ts';

/**
 * What a member has not read, as a lateral of a membership row: `unread` and, of those, `mentions`. Computed from the
 * watermark, never counted by hand; without one's own messages, deleted ones, system lines and what stands in threads,
 * which have a read mark of their own. The count ends at a limit: a channel that was left alone for a year must not make
 * a list slow.
 */
export const unreadLateral = (m: string) => `
  left join lateral (
    select count(*) as unread, count(*) filter (where u.mentions is not null and (
      u.mentions @> jsonb_build_array(jsonb_build_object('userId', ${m}.user_id))
      or u.mentions @> '[{"type": "everyone"}]' or u.mentions @> '[{"type": "here"}]')) as mentions
    from (
      select g.mentions from messages g where g.conversation_id = ${m}.conversation_id
        and g.seq > greatest(${m}.read_seq, ${m}.joined_seq) and g.sender_id <> ${m}.user_id and g.deleted_at is null
        and g.kind = 'text' and g.thread_seq is null
      limit ${limits.unreadCounted}
    ) u
  ) unread on true`;
