import type { Mutant } from './mutant.ts';

const tokens = 'test/tokens/tokens.test.ts';
const bots = 'test/tokens/bots.test.ts';
const matrix = 'test/access/matrix.test.ts';
const refuses = (operation: string) => `matrix ${operation} refuses who may not`;

/** What keeps a program to what its token is for, and for as long. */
export const tokenMutants: readonly Mutant[] = [
  {
    name: 'tokens: the scope of an operation',
    file: 'api/operations.ts',
    changes: [["    if (actor && rule.who !== 'anybody') requireScope(actor, rule.scope);\n", '']],
    test: matrix,
    red: refuses('updateMe'),
  },
  {
    name: 'tokens: the scope of a socket’s own event',
    file: 'realtime/on.ts',
    changes: [['    refuseToken(name, socket.data);\n', '']],
    test: matrix,
    red: refuses('the event message.send'),
  },
  {
    name: 'tokens: what needs a proof at times is for none',
    file: 'api/operations.ts',
    changes: [["    requireScope(actor, 'session');\n", '']],
    test: tokens,
    red: 'a token may not do what needs a proof only at times',
  },
  {
    name: 'tokens: a socket hears what its token is for',
    file: 'realtime/outlet.ts',
    changes: [['      if (mayHear(socket, frame)) (waitingFor', '      (waitingFor']],
    test: tokens,
    red: 'a socket hears what the token is for',
  },
  {
    name: 'tokens: a socket hears nothing once its token’s time is over',
    file: 'realtime/outlet.ts',
    changes: [['  if (expiresAt.getTime() <= Date.now()) return false;\n', '']],
    test: tokens,
    red: 'hears nothing from the moment on in which its time is over',
  },
  {
    name: 'tokens: and is not opened for nothing',
    file: 'realtime/handshake.ts',
    changes: [['  requireScope(actor, scopeOfSocket);\n', '']],
    test: tokens,
    red: 'a socket hears what the token is for',
  },
  {
    name: 'tokens: one that was ended stands in the window',
    file: 'db/queries/sessions.ts',
    changes: [['from access_tokens where revoked_at > now()', 'from access_tokens where false and revoked_at > now()']],
    test: tokens,
    red: 'what a node remembers of a token is no way in',
  },
  {
    name: 'tokens: one that was ended begins no socket, before anybody knows of it',
    file: 'realtime/handshake.ts',
    changes: [["    if (!(await isOpen(deps, actor))) throw new DomainError('session_revoked');\n", '']],
    test: tokens,
    red: 'what a node remembers of a token is no way in',
  },
  {
    name: 'tokens: its time is over to the second',
    file: 'domain/accounts/authenticate.ts',
    changes: [['    if (who.scopes && who.expiresAt <= deps.now()) throw tokenExpired();\n', '']],
    test: tokens,
    red: 'runs out to the second',
  },
  {
    name: 'tokens: in a URL it is none',
    file: 'api/middleware/authenticate.ts',
    changes: [
      [
        "      if (!/^bearer /i.test(request.get('authorization') ?? '')) throw new DomainError('unauthenticated');\n",
        '',
      ],
    ],
    test: tokens,
    red: 'a token in the query is none',
  },
  {
    name: 'tokens: they are counted behind a lock',
    file: 'db/queries/users.ts',
    changes: [["and status = 'active' for no key update`", "and status = 'active'`"]],
    test: tokens,
    red: 'of fifty that are asked for at once',
  },
  {
    name: 'tokens: a session that was ended makes none',
    file: 'domain/access/proof.ts',
    changes: [
      [
        "  if (!session) throw new DomainError('session_revoked');\n  return session;",
        '  return session ?? { proved: true };',
      ],
    ],
    test: tokens,
    red: 'a session that has ended makes none',
  },
  {
    name: 'tokens: a reset ends them',
    file: 'domain/accounts/passwords.ts',
    changes: [["await endTokens(tx, user.id, 'password_reset')", '[]']],
    test: tokens,
    red: 'a reset of the password ends all of them',
  },
  {
    name: 'tokens: a program is nobody who looks',
    file: 'realtime/server.ts',
    changes: [['data.actor.scopes === undefined;', 'data.actor.userId !== undefined;']],
    test: tokens,
    red: 'who has a program connected is not there for it',
  },
  {
    name: 'tokens: one is ended by whose it is',
    file: 'db/queries/access-tokens.ts',
    changes: [
      [
        "'(user_id = $1 or user_id in (select id from users where owner_id = $1))'",
        "'(user_id = $1 or $1::uuid is not null)'",
      ],
    ],
    test: matrix,
    red: refuses('endToken'),
  },
  {
    name: 'bots: a token is given by the owner',
    file: 'domain/accounts/bots.ts',
    changes: [['    if (bot?.ownerId !== owner.id) throw notFound();\n', '    if (!bot) throw notFound();\n']],
    test: matrix,
    red: refuses('createBotToken'),
  },
  {
    name: 'bots: one is ended by the owner, or an admin',
    file: 'domain/accounts/bots.ts',
    changes: [['  if (bot.ownerId === actor.userId) return bot;', '  if (bot.ownerId) return bot;']],
    test: matrix,
    red: refuses('endBot'),
  },
  {
    name: 'bots: one that was ended stays so',
    file: 'db/queries/users.ts',
    changes: [["and status not in ($2, 'ended')", 'and status <> $2']],
    test: bots,
    red: 'one that was ended is brought back by nobody',
  },
  {
    name: 'bots: what one founds its owner owns, too',
    file: 'domain/conversations/create-conversation.ts',
    changes: [['  return answering ? [userId, answering] : [userId];', '  return answering ? [userId] : [userId];']],
    test: bots,
    red: 'what it founds (a group) its owner owns, too, named or not; so it may leave',
  },
  {
    name: 'bots: the end of one leaves nothing without an owner',
    file: 'domain/accounts/bots.ts',
    changes: [[', await stepDown(all, deps, { botId: id, ownerId })] as const', ', []] as const']],
    test: bots,
    red: 'its end leaves nothing without an owner',
  },
  {
    name: 'bots: one stops with its owner',
    file: 'db/queries/access-tokens.ts',
    changes: [["\n  and not exists (select from users o where o.id = u.owner_id and o.status <> 'active')`", '`']],
    test: bots,
    red: 'it stops with its owner',
  },
  {
    name: 'bots: no message arms one',
    file: 'db/queries/arming.ts',
    changes: [["    and not exists (select from users u where u.id = m.user_id and u.kind = 'bot')\n", '']],
    test: bots,
    red: 'escalates to nobody',
  },
  {
    name: 'a bot that was ended is made owner of nothing',
    file: 'domain/conversations/members.ts',
    changes: [["  if (status === 'ended') throw new DomainError('bot_ended');\n", '']],
    test: bots,
    red: 'one that was ended owns nothing and is handed nothing by a transfer',
  },
  {
    name: 'who takes over is held until they have',
    file: 'db/queries/users.ts',
    changes: [
      ["text: 'select status from users where id = $1 for share',", "text: 'select status from users where id = $1',"],
    ],
    test: bots,
    red: 'one that was ended owns nothing nor is it by a transfer at the same moment, whichever comes first',
  },
];
