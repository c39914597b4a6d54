import type { Mutant } from './mutant.ts';

/** Guards of who is let in, for how long, and of what is written down of it. */
export const sessions: readonly Mutant[] = [
  {
    name: 'a node that knows nothing lets in nobody',
    file: 'domain/accounts/revocations.ts',
    changes: [['if (fence.isUp) throw', 'if (fence.isUp && reloadMs < 0) throw']],
    test: 'test/faults/fence.test.ts',
    red: 'counts a look that hangs as none, though everything else of the database answers',
  },
  {
    name: 'a node that knows nothing sends its sockets away',
    file: 'realtime/server.ts',
    changes: [["socket) => closeSoon(socket, 'fenced')", 'socket) => void socket']],
    test: 'test/faults/fence.test.ts',
    red: 'refuses people, says so where its readiness is asked, sends its sockets away, and serves again by itself',
  },
  {
    name: 'sessions that ended are read from the table',
    file: 'domain/accounts/revocations.ts',
    changes: [
      ['ended = new Set([...rows.map(({ id }) => id), ...hinted]);', 'ended = new Set([...ended, ...hinted]);'],
    ],
    test: 'test/faults/revocations.test.ts',
    red: 'with Redis killed nothing passes any more',
  },
  {
    name: 'a remembered token goes with its key',
    file: 'platform/tokens.ts',
    changes: [[' && keys.find(kid) !== undefined', ' && kid !== undefined']],
    test: 'test/faults/key-rotation.test.ts',
    red: 'one verifies for an hour after its last signature, and then no more',
  },
  {
    name: 'a key that waits does not sign',
    file: 'platform/key-set.ts',
    changes: [['.filter(({ mayVerifyOnly }) => !mayVerifyOnly)', '']],
    test: 'test/faults/key-rotation.test.ts',
    red: 'a node that cannot open one says so, and signs with the one before',
  },
  {
    name: 'a token is of our type',
    file: 'platform/tokens.ts',
    changes: [['if (!key || header?.typ !== tokenType)', 'if (!key)']],
    test: 'test/api/token-attacks.test.ts',
    red: 'is refused with one of the type of an identity, by REST and by the socket',
  },
  {
    name: 'a sign-in is told to nobody at an address that may be another’s',
    file: 'domain/accounts/notices.ts',
    changes: [['email && emailVerifiedAt ?', 'email ?']],
    test: 'test/api/sessions.test.ts',
    red: 'is told to nobody at an address that is not proved theirs',
  },
  {
    name: 'an entry of the audit is held against its hash',
    file: 'domain/audit/verify.ts',
    changes: [['if (!row.hash.equals(hashOf(row, before)))', 'if (hashOf(row, before).length === 0)']],
    test: 'test/db/audit-chain.test.ts',
    red: 'changes an entry, then it is said which',
  },
  {
    name: 'who is suspended gets no session by a sign-in that has begun',
    file: 'db/queries/users.ts',
    changes: [["and password_hash = $2 and status = 'active' for share", 'and password_hash = $2 for share']],
    test: 'test/api/suspension.test.ts',
    red: 'gets no session by a sign-in that was under way',
  },
  {
    name: 'the last admin stays one',
    file: 'domain/support/people.ts',
    changes: [['if (admins.length === 1 && admins[0] === userId)', 'if (admins.length === 0)']],
    test: 'test/api/suspension.test.ts',
    red: 'by REST but the last admin stays one: not suspended, not given another role',
  },
  {
    name: 'a page of another origin begins no socket',
    file: 'realtime/handshake.ts',
    changes: [['origin === undefined || origins.has(origin)', 'origin === undefined || origins.size > 0']],
    test: 'test/api/headers.test.ts',
    red: 'begins no socket, by whatever way',
  },
  {
    name: 'a session that nobody uses ends',
    file: 'domain/accounts/sessions.ts',
    changes: [['sliding: 30', 'sliding: 300']],
    test: 'test/api/sign-in.test.ts',
    red: 'a session ends thirty days after it was used last',
  },
  {
    name: 'a session that is used ends as well',
    file: 'domain/accounts/sessions.ts',
    changes: [['absolute: 180', 'absolute: 1_800']],
    test: 'test/api/sign-in.test.ts',
    red: 'a session ends 180 days after it began, however it is used',
  },
];
