import type { Mutant } from './mutant.ts';

const store = 'db/queries/store-messages.ts';
const threads = 'test/api/threads.test.ts';

/** Guards of what is stored, by whom it is read, and in which order. */
export const messages: readonly Mutant[] = [
  {
    name: 'one row for sender and clientId',
    file: 'db/migrations/20261124T0400_ids_in_order_of_time.ts',
    changes: [['create unique index messages_once on', 'create index messages_once on']],
    test: 'test/api/races.test.ts',
    red: 'the same send over both is stored once, and both get the first message',
  },
  {
    name: 'a repeat is told by its content',
    file: store,
    changes: [['known.deleted_at is not null or known.fingerprint = i.fingerprint as same', 'true as same']],
    test: 'test/api/messages.test.ts',
    red: 'refuses other content under a clientId that was used, and changes nothing',
  },
  {
    name: 'who was removed is told that their message was stored',
    file: store,
    changes: [["then case when c.same then 'repeat_of_gone' else 'not_member' end", "then 'not_member'"]],
    test: 'test/api/messages.test.ts',
    red: 'answers who was removed since that their message was stored, as they sent it, and nothing else',
  },
  {
    name: 'the counter is moved in the statement',
    file: store,
    changes: [
      [
        'set version = c.version + l.n, last_seq = c.last_seq + l.n,',
        `set version = (select o.version from conversations o where o.id = l.conversation_id) + l.n,
    last_seq = (select o.last_seq from conversations o where o.id = l.conversation_id) + l.n,`,
      ],
    ],
    test: 'test/api/races.test.ts',
    red: 'two sends take two numbers, whichever of them looked first',
  },
  {
    name: 'membership is looked at in the statement',
    file: store,
    changes: [['and m.user_id = i.sender_id and m.left_at is null', 'and m.user_id = i.sender_id']],
    test: 'test/api/members.test.ts',
    red: 'ends with the change itself: nothing after it is told, and nothing is there any more',
  },
  {
    name: 'a membership that changed meanwhile stores nothing',
    file: store,
    changes: [[' and c.member_version = l.member_version', '']],
    test: 'test/api/races.test.ts',
    red: 'a send that was allowed when it looked stores nothing behind the removal of its sender',
  },
  {
    name: 'rights are looked at behind the lock',
    file: 'domain/access/index.ts',
    changes: [
      [
        `  const conversation = await lockConversationOf(tx, actor.userId, id);
  const member = conversation && (await roleOf(tx, id, actor.userId));`,
        `  const member = await roleOf(tx, id, actor.userId);
  const conversation = await lockConversationOf(tx, actor.userId, id);`,
      ],
    ],
    test: 'test/api/races.test.ts',
    red: 'nor does an edit, a deletion or a reaction',
  },
  {
    name: 'a warning at the commit of a transaction',
    file: 'db/client.ts',
    changes: [
      [
        `rolled back at commit');
    if (warnings.seen())`,
        `rolled back at commit');
    if (warnings.seen() && result.command === '')`,
      ],
    ],
    test: 'test/db/client.test.ts',
    red: 'takes a commit that came back with a warning for unknown',
  },
  {
    name: 'a warning at a single write',
    file: 'db/client.ts',
    changes: [
      [
        `<Row>(statement);
    if (warnings.seen())`,
        `<Row>(statement);
    if (warnings.seen() && result.command === '')`,
      ],
    ],
    test: 'test/db/client.test.ts',
    red: 'takes a single statement that came back with a warning for unknown: its commit is the statement’s own',
  },
  {
    name: 'the read mark moves forward only',
    file: 'db/queries/members.ts',
    changes: [['greatest(m.read_seq, least(i.read, c.last_seq)) as read', 'least(i.read, c.last_seq) as read']],
    test: 'test/api/races.test.ts',
    red: 'a device that tells what it has got takes back nothing that was read',
  },
  {
    name: 'the mark of what was delivered moves forward only',
    file: 'db/queries/members.ts',
    changes: [
      [
        'greatest(m.delivered_seq, least(greatest(i.delivered, i.read), c.last_seq))',
        'least(greatest(i.delivered, i.read), c.last_seq)',
      ],
    ],
    test: 'test/api/races.test.ts',
    red: 'what was delivered is taken back by no device that is behind',
  },
  {
    name: 'what was read was delivered',
    file: 'db/queries/members.ts',
    changes: [['least(greatest(i.delivered, i.read), c.last_seq)', 'least(i.delivered, c.last_seq)']],
    test: 'test/api/races.test.ts',
    red: 'what was read was delivered, and no mark runs ahead of the messages',
  },
  {
    name: 'the mark of what was delivered ends at the last message',
    file: 'db/queries/members.ts',
    changes: [['least(greatest(i.delivered, i.read), c.last_seq)', 'greatest(i.delivered, i.read)']],
    test: 'test/api/races.test.ts',
    red: 'what was read was delivered, and no mark runs ahead of the messages',
  },
  {
    name: 'a read mark ends at the last message',
    file: 'db/queries/members.ts',
    changes: [['greatest(m.read_seq, least(i.read, c.last_seq)) as read', 'greatest(m.read_seq, i.read) as read']],
    test: 'test/api/messages.test.ts',
    red: 'does not let a read mark run ahead of the messages',
  },
  {
    name: 'reading again what a mark by hand stands at takes it away',
    file: 'db/queries/members.ts',
    changes: [['(i.read > m.read_seq or i.read >= greatest(m.unread_mark, 1))', 'i.read > m.read_seq']],
    test: 'test/api/receipts.test.ts',
    red: 'which a reading at or after it takes away, on every device, though everything was read before',
  },
  {
    name: 'the moment of a reading that is not told is not told',
    file: 'domain/receipts/update-receipts.ts',
    changes: [['  if (!hasReceived) return [own];\n', '']],
    test: 'test/api/receipts.test.ts',
    red: 'tell the others of a reading nothing, not even its moment, where its reader does not tell it',
  },
  {
    name: 'who is held back tells no reading by that',
    file: 'db/queries/unread-recipients.ts',
    changes: [['(${unread} or not u.tell_read or c.blocked)', '${unread}']],
    test: 'test/attention/urgent.test.ts',
    red: 'names who is held back until then, whether or not they have read it, where they do not tell that',
  },
  {
    name: 'who is held back tells no rule that came afterwards',
    file: 'db/queries/unread-recipients.ts',
    changes: [["asOf('g.created_at')", "asOf('now()')"]],
    test: 'test/attention/urgent.test.ts',
    red: 'is not told who blocks the sender, mutes the conversation or wants less of it afterwards',
  },
  {
    name: 'a mention stays where its words do',
    file: 'domain/messages/mentions.ts',
    changes: [
      [
        '({ offset, length }) => message.text?.slice(offset, offset + length) === text.slice(offset, offset + length),',
        '({ offset, length }) => offset + length <= text.length,',
      ],
    ],
    test: 'test/api/message-changes.test.ts',
    red: 'that leaves mentions out keeps those that stand on the same words, and one without any takes them away',
  },
  {
    name: 'an edit that says nothing of mentions is not one that says none',
    file: 'domain/messages/edit-message.ts',
    changes: [['fingerprint(text, said);', 'fingerprint(text, said ?? []);']],
    test: 'test/api/message-changes.test.ts',
    red: 'that leaves mentions out is another than one without any, and the same when it is repeated',
  },
  {
    name: 'deletion erases earlier texts',
    file: 'db/queries/message-changes.ts',
    changes: [['edits as (delete from message_edits where', 'edits as (select from message_edits where']],
    test: 'test/api/message-changes.test.ts',
    red: 'leaves a tombstone: the text is gone from every table, with every earlier version of it',
  },
  {
    name: 'deletion erases the text',
    file: 'db/queries/message-changes.ts',
    changes: [['update messages set text = null, mentions = null', 'update messages set mentions = null']],
    test: 'test/api/message-changes.test.ts',
    red: 'leaves a tombstone: the text is gone from every table, with every earlier version of it',
  },
  {
    name: 'the log looks at the membership again',
    file: 'db/queries/log.ts',
    changes: [
      ['and r.joined_seq = k.joined_seq', ''],
      ['and (r.left_at is null or k.version = r.left_version - 1)', ''],
      ['where r.left_version is null or version <= r.left_version order by', 'order by'],
    ],
    test: 'test/sync/edges.test.ts',
    red: 'the log after a version tells nothing that came afterwards',
  },
  {
    name: 'a page looks at the membership again',
    file: 'db/queries/messages.ts',
    changes: [['and r.left_at is null', '']],
    test: 'test/sync/edges.test.ts',
    red: 'a page of the history and the pins are refused, and show nothing that came afterwards',
  },
  {
    name: 'what was before one came only takes its number in the log',
    file: 'db/queries/log.ts',
    changes: [['coalesce(entry.message_seq <= entry.joined_seq, false) as hidden', 'false as hidden']],
    test: 'test/sync/edges.test.ts',
    red: 'changes of what was before only take their number, whichever way one catches up',
  },
  {
    name: 'who has only read a thread follows it when mentioned',
    file: store,
    changes: [['where t.following is null', 'where false']],
    test: 'test/api/message-changes.test.ts',
    red: 'a thread that somebody has only read is followed once they are mentioned in it',
  },
  {
    name: 'a thread is left alone by an edit where its person said no',
    file: 'db/queries/message-changes.ts',
    changes: [['excluded.read_seq) where t.following is null', 'excluded.read_seq)']],
    test: threads,
    red: 'are followed by whom an edit names, unless they have said no',
  },
  {
    name: 'nobody follows a thread by the mention of whom they have blocked',
    file: store,
    changes: [
      [
        "and not exists (select from blocks b where b.user_id = (e->>'userId')::uuid and b.blocked_id = f.sender_id)",
        '',
      ],
    ],
    test: threads,
    red: 'are not followed by whom somebody names whom they have blocked, by a reply or by an edit',
  },
  {
    name: 'what stood in a thread before a mention is not unread',
    file: store,
    changes: [['null, i.seq - 1 from', 'null, 0 from']],
    test: threads,
    red: 'by a reply that names somebody, which is unread itself, and by what comes after it',
  },
  {
    name: 'who had said no to a thread begins to follow it',
    file: 'db/queries/threads.ts',
    changes: [['never and not coalesce($4, true)', 'false']],
    test: threads,
    red: 'by hand, also by who had said no to it before, and again and again',
  },
  {
    name: 'who follows a thread again keeps what was unread',
    file: 'db/queries/threads.ts',
    changes: [['or not x.following and x.declined as never', 'or not x.following as never']],
    test: threads,
    red: 'by writing, after which no and yes leave unread what was',
  },
  {
    name: 'a thread says itself who has read it',
    file: 'db/queries/members.ts',
    changes: [['case when g.thread_seq is null then m.read_seq else coalesce(t.read_seq, 0) end', 'm.read_seq']],
    test: threads,
    red: 'say of a reply that it was read by who has read so far in the thread, wherever they are outside',
  },
  {
    name: 'who came after a message is not asked whether they have read it',
    file: 'db/queries/members.ts',
    changes: [['\n        and m.came_seq < g.seq', '']],
    test: 'test/api/receipts.test.ts',
    red: 'ask of nobody who came later, or was away, what they have not seen',
  },
  {
    name: 'a thread from before the joining is out of reach',
    file: 'domain/messages/threads.ts',
    changes: [['  if (rootSeq <= membership.joinedSeq) throw notFound();\n', '']],
    test: threads,
    red: 'that began before somebody’s joining are out of their reach, also by a reply that they may read',
  },
  {
    name: 'a thread from before the joining counts for nothing',
    file: 'db/queries/unread.ts',
    changes: [['\n        and t.root_seq > ${m}.joined_seq', '']],
    test: threads,
    red: 'that began before somebody’s joining are out of their reach, also by a reply that they may read',
  },
  {
    name: 'a thread from before the joining calls nobody',
    file: 'db/queries/notifiable.ts',
    changes: [['coalesce(g.thread_seq, g.seq) > m.joined_seq', 'g.seq > m.joined_seq']],
    test: 'test/attention/arming.test.ts',
    red: 'calls nobody into a thread that began before they could read, by name neither',
  },
  {
    name: 'a thread that went on while its person was away is read by their return',
    file: 'db/queries/memberships.ts',
    changes: [['set read_seq = greatest(t.read_seq, h.last_seq)', 'set read_seq = t.read_seq']],
    test: threads,
    red: 'are one’s own again after a return: followed and read as before, with nothing unread of what came meanwhile',
  },
  {
    name: 'a thread that stays as it is is told to nobody',
    file: 'domain/messages/threads.ts',
    changes: [['  if (changed) deps.publishLive', '  deps.publishLive']],
    test: threads,
    red: 'are told once: what changes nothing is not',
  },
  {
    name: 'the repeat of a forward is told by the message that it names',
    file: 'domain/messages/send-message.ts',
    changes: [["{ ...row, fingerprint: fingerprint('forwarded', id) }", 'row']],
    test: 'test/api/message-changes.test.ts',
    red: 'a repeat of a forward answers with the first, whatever has become of the message it was made from',
  },
  {
    name: 'no answer leads its reader out of a conversation to which they have come back',
    file: 'domain/sync/snapshots.ts',
    changes: [["type === 'members.removed' && data", "type === 'members.removed' && !data"]],
    test: 'test/sync/edges.test.ts',
    red: 'a sync sends the conversation whole, and it is not lost midway, over REST, the socket and the connect',
  },
  {
    name: 'a sync brings the watermarks that moved where nothing else did',
    file: 'db/queries/sync.ts',
    changes: [['(k.unsettled or k.version < c.version)', 'k.version < c.version']],
    test: 'test/sync/sync.test.ts',
    red: 'watermarks of others and settings of one’s own too, whether anything else moved or not',
  },
  {
    name: 'who was removed while they read is told so',
    file: 'domain/access/index.ts',
    changes: [['    if (rows.length > 0) return rows;', '    return rows;']],
    test: 'test/api/members.test.ts',
    red: 'are told that they are gone, and not that there is nothing: messages',
  },
  {
    name: 'a draft answers a message of its conversation alone',
    file: 'db/queries/drafts.ts',
    changes: [['where m.conversation_id = $2 and m.user_id = $1 and r.id = $4)', 'where m.user_id = $1)']],
    test: 'test/api/message-changes.test.ts',
    red: 'a draft answers what its writer may read',
  },
];
