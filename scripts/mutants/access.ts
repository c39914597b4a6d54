import type { Mutant } from './mutant.ts';

const matrix = 'test/access/matrix.test.ts';
const refuses = (operation: string) => `matrix ${operation} refuses who may not`;

/** Every check by which somebody is refused something: of the guards, of the roles, and of the statements that judge. */
export const access: readonly Mutant[] = [
  {
    name: 'access: the right of a role',
    file: 'domain/access/index.ts',
    changes: [['  if (!may(right, kind, role)) throw forbidden(right, kind);\n', '']],
    test: matrix,
    red: refuses('pinMessage'),
  },
  {
    name: 'access: between two, one of whom has blocked the other',
    file: 'domain/access/index.ts',
    changes: [["  if (blocked && saying.has(right)) throw forbidden('write');\n", '']],
    test: matrix,
    red: refuses('addReaction'),
  },
  {
    name: 'access: where only announcements are made',
    file: 'domain/access/index.ts',
    changes: [["  if (posting === 'admins' && announcing.has(right)", '  if (false && announcing.has(right)']],
    test: matrix,
    red: refuses('editMessage'),
  },
  {
    name: 'access: a reader asks for the right, too',
    file: 'domain/access/index.ts',
    changes: [['  if (right) authorize(membership, right);\n', '']],
    test: matrix,
    red: refuses('listInvites'),
  },
  {
    name: 'access: who has gone reads no more',
    file: 'db/queries/members.ts',
    changes: [
      [
        '      where m.conversation_id = $1 and m.user_id = $2 and m.left_at is null`,',
        '      where m.conversation_id = $1 and m.user_id = $2`,',
      ],
    ],
    test: matrix,
    red: refuses('listMembers'),
  },
  {
    name: 'access: the conversation itself is a member’s',
    file: 'db/queries/conversations.ts',
    changes: [['  where m.left_at is null and ${where}`;', '  where ${where}`;']],
    test: matrix,
    red: refuses('getConversation'),
  },
  {
    name: 'access: a message is read from one’s joining on',
    file: 'db/queries/messages.ts',
    changes: [[' is not distinct from $1 and m.seq > $4`,', ' is not distinct from $1 and $4::bigint >= 0`,']],
    test: matrix,
    red: refuses('getMessage'),
  },
  {
    name: 'access: nor is an earlier one changed',
    file: 'domain/access/index.ts',
    changes: [
      [
        '  return { ...held, message: await readableTo(tx, held.scope, id) };',
        '  return { ...held, message: await readableTo(tx, { ...held.scope, joinedSeq: 0 }, id) };',
      ],
    ],
    test: matrix,
    red: refuses('editMessage'),
  },
  {
    name: 'access: a message is one of its conversation',
    file: 'db/queries/messages.ts',
    changes: [
      [
        'where m.id = $3 and m.conversation_id is not distinct from $1 and m.seq > $4`',
        'where m.id = $3 and $1::uuid is not null and m.seq > $4`',
      ],
    ],
    test: matrix,
    red: refuses('getMessage'),
  },
  {
    name: 'access: a change asks for the right behind the lock',
    file: 'domain/access/index.ts',
    changes: [['  if (right) authorize({ ...conversation, ...member }, right);\n', '']],
    test: matrix,
    red: refuses('updateConversation'),
  },
  {
    name: 'access: who has gone changes nothing',
    file: 'db/queries/memberships.ts',
    changes: [
      [
        'where conversation_id = $1 and user_id = $2 and left_at is null`,\n    values: [conversationId, userId],\n  });\n  return rows[0];',
        'where conversation_id = $1 and user_id = $2`,\n    values: [conversationId, userId],\n  });\n  return rows[0];',
      ],
    ],
    test: matrix,
    red: refuses('removeReaction'),
  },
  {
    name: 'access: the role of the organisation, by every door',
    file: 'api/operations.ts',
    changes: [["    if (rule.who === 'staff') await this.#guards.requireRole(actor, rule.role);\n", '']],
    test: matrix,
    red: refuses('listAudit'),
  },
  {
    name: 'access: a higher role than one’s own',
    file: 'domain/access/index.ts',
    changes: [
      [
        "user?.status === 'active' && userRoles.indexOf(user.role) >= userRoles.indexOf(role)",
        "user?.status === 'active'",
      ],
    ],
    test: matrix,
    red: refuses('getUserStory'),
  },
  {
    name: 'access: admins act on members only',
    file: 'domain/conversations/members.ts',
    changes: [['  if (!outranks(role, member.role)) throw notYourRank();', '']],
    test: matrix,
    red: refuses('removeMember'),
  },
  {
    name: 'access: nor are those banned who stand as high',
    file: 'domain/conversations/bans.ts',
    changes: [['    if (member && !outranks(role, member.role)) throw notYourRank();\n', '']],
    test: matrix,
    red: refuses('banMember'),
  },
  {
    name: 'access: only who wrote a message says something else',
    file: 'domain/messages/edit-message.ts',
    changes: [['    if (message.senderId !== actor.userId) throw notYours();\n', '']],
    test: matrix,
    red: refuses('editMessage'),
  },
  {
    name: 'access: another’s message is deleted by who leads',
    file: 'domain/messages/edit-message.ts',
    changes: [['    authorize({ ...conversation, role }, right);\n', '']],
    test: matrix,
    red: refuses('deleteMessage'),
  },
  {
    name: 'access: only who wrote a message is told how far it has come',
    file: 'domain/messages/delivery.ts',
    changes: [['  if (message.senderId !== actor.userId) {', '  if (false) {']],
    test: matrix,
    red: refuses('messageReceipts'),
  },
  {
    name: 'access: a channel that is not open is not joined',
    file: 'domain/conversations/join.ts',
    changes: [
      [
        "    if (conversation?.kind !== 'channel' || conversation.visibility !== 'open') throw notFound();",
        '    if (!conversation) throw notFound();',
      ],
    ],
    test: matrix,
    red: refuses('joinChannel'),
  },
  {
    name: 'access: who is banned finds no door',
    file: 'domain/conversations/join.ts',
    changes: [['  if (!person || person.banned) throw notFound();', '  if (!person) throw notFound();']],
    test: matrix,
    red: refuses('acceptInvite'),
  },
  {
    name: 'access: the statement of a send knows its members',
    file: 'db/queries/store-messages.ts',
    changes: [
      [
        'm.user_id = i.sender_id and m.left_at is null\n  -- By messages_once',
        'm.user_id = i.sender_id\n  -- By messages_once',
      ],
    ],
    test: matrix,
    red: refuses('sendMessage'),
  },
  {
    name: 'access: the statement of a send knows their rights',
    file: 'db/queries/store-messages.ts',
    changes: [
      [
        "m.role = any(case when c.posting = 'admins' then $9::text[] else $8::text[] end) and not c.blocked as may_write",
        '(m.role is not null or c.posting = any($9::text[]) or c.posting = any($8::text[])) as may_write',
      ],
    ],
    test: matrix,
    red: refuses('sendMessage'),
  },
  {
    name: 'access: a forward is of what one may read',
    file: 'domain/messages/send-message.ts',
    changes: [
      [
        '  const { message } = await readableMessage(deps.db, actor, from, id);',
        '  const scope = { reader: actor.userId, conversationId: from, joinedSeq: 0 } as never;\n  const message = (await messageById(deps.db, scope, id)) as MessageRow;',
      ],
      ['  messageByClientId,\n  ownMessage,', '  messageByClientId,\n  messageById,\n  ownMessage,'],
    ],
    test: matrix,
    red: refuses('forwardMessage'),
  },
  {
    name: 'access: receipts are of members',
    file: 'db/queries/members.ts',
    changes: [
      ['        where m.left_at is null\n        order by m.conversation_id', '        order by m.conversation_id'],
    ],
    test: matrix,
    red: refuses('updateReceipts'),
  },
  {
    name: 'access: a mark by hand is of a member',
    file: 'db/queries/members.ts',
    changes: [
      [
        'and m.user_id = $2 and m.left_at is null and c.id = m.conversation_id`',
        'and m.user_id = $2 and c.id = m.conversation_id`',
      ],
    ],
    test: matrix,
    red: refuses('setUnreadMark'),
  },
  {
    name: 'access: settings of a conversation are of a member',
    file: 'db/queries/members.ts',
    changes: [
      [
        '      where conversation_id = $1 and user_id = $2 and left_at is null`,\n    values: [\n      conversationId,',
        '      where conversation_id = $1 and user_id = $2`,\n    values: [\n      conversationId,',
      ],
    ],
    test: matrix,
    red: refuses('updateMyMembership'),
  },
  {
    name: 'access: a draft is kept by a member',
    file: 'domain/drafts/index.ts',
    changes: [['  await readableMembership(deps.db, actor, conversationId);\n', '']],
    test: matrix,
    red: refuses('putDraft'),
  },
  {
    name: 'access: drafts of where one has gone are not listed',
    file: 'db/queries/drafts.ts',
    changes: [[' and m.user_id = $1 and m.left_at is null)\n      order by', ' and m.user_id = $1)\n      order by']],
    test: matrix,
    red: 'matrix listDrafts does it for who may',
  },
  {
    name: 'access: presence is told to members',
    file: 'domain/presence/index.ts',
    changes: [['  await readableMembership(deps.db, actor, conversationId);\n', '']],
    test: matrix,
    red: refuses('the event presence.set'),
  },
  {
    name: 'access: who may not write is not said to type',
    file: 'domain/presence/index.ts',
    changes: [
      [
        "readableMembership(deps.db, actor, conversationId, 'write');",
        'readableMembership(deps.db, actor, conversationId);',
      ],
    ],
    test: matrix,
    red: refuses('the event typing.set'),
  },
  {
    name: 'access: a hint that was refused is refused again',
    file: 'realtime/handlers/index.ts',
    changes: [['    delete data.typing;\n', '']],
    test: 'test/realtime/presence.test.ts',
    red: 'typing is refused where one may not write',
  },
  {
    name: 'access: a socket is renewed by a token of its own session',
    file: 'realtime/handlers/index.ts',
    changes: [['      if (!same) {', '      if (!same && !userId) {']],
    test: matrix,
    red: refuses('the event session.renew'),
  },
  {
    name: 'access: a session that was ended asks nothing, by REST',
    file: 'domain/accounts/authenticate.ts',
    changes: [['    revocations.guard(who.sessionId);\n', '']],
    test: 'test/api/sign-in.test.ts',
    red: 'who is suspended is let in nowhere',
  },
  {
    name: 'access: a notification is its recipient’s',
    file: 'db/queries/attempts.ts',
    changes: [
      [
        'from attempts where user_id = $1 and id = $2`,\n    values: [userId, id],',
        'from attempts where $1::uuid is not null and id = $2`,\n    values: [userId, id],',
      ],
    ],
    test: matrix,
    red: refuses('explainMyNotification'),
  },
  {
    name: 'access: a device is its owner’s',
    file: 'db/queries/devices.ts',
    changes: [
      [
        "'delete from devices where user_id = $1 and id = $2'",
        "'delete from devices where $1::uuid is not null and id = $2'",
      ],
    ],
    test: matrix,
    red: refuses('deleteDevice'),
  },
  {
    name: 'access: a session is ended by whose it is',
    file: 'db/queries/sessions.ts',
    changes: [
      [
        "where user_id = $1 and id ${only ? '=' : 'is distinct from'} $2 and revoked_at is null",
        "where ($1::uuid is not null) and id ${only ? '=' : 'is distinct from'} $2 and revoked_at is null",
      ],
    ],
    test: matrix,
    red: refuses('revokeSession'),
  },
  {
    name: 'access: who is suspended counts as signed out',
    file: 'db/queries/sessions.ts',
    changes: [
      ["      where u.status <> 'active' and s.revoked_at is null", '      where false and s.revoked_at is null'],
    ],
    test: 'test/api/sign-in.test.ts',
    red: 'who is suspended is let in nowhere',
  },
  {
    name: 'access: nor renews a session',
    file: 'db/queries/sessions.ts',
    changes: [
      [
        "join users u on u.id = s.user_id and u.status = 'active'\n      where t.token_hash",
        'join users u on u.id = s.user_id\n      where t.token_hash',
      ],
    ],
    test: 'test/api/sign-in.test.ts',
    red: 'who is suspended is let in nowhere',
  },
  {
    name: 'access: who is added can be talked to',
    file: 'domain/conversations/members.ts',
    changes: [
      [
        "    if (!known.has(userId)) return [{ path, code: 'not_found', message: 'names nobody who can be talked to' }];\n",
        '',
      ],
    ],
    test: 'test/access/fields.test.ts',
    red: 'a person whom a body may name beside is there',
  },
];
