import type { Mutant } from './mutant.ts';

const passwords = 'domain/accounts/passwords.ts';
const signIn = 'domain/accounts/sign-in.ts';
const tests = 'test/api/passwords.test.ts';

/** Guards of who gets into an account, and of what others learn of it. */
export const accounts: readonly Mutant[] = [
  {
    name: 'a changed password stands in the audit',
    file: passwords,
    changes: [["    await audit(tx, deps, actor, { action: 'change_password', userId: user.id });\n", '']],
    test: tests,
    red: 'changing it, by REST takes the old one, and tells whoever has the account in their language',
  },
  {
    name: 'an unknown person is worked on as a known one',
    file: signIn,
    changes: [['for (const user of meant.length > 0 ? meant : [undefined])', 'for (const user of meant)']],
    test: 'test/api/enumeration.test.ts',
    red: 'is not told by signing in, nor by how long it takes',
  },
  {
    name: 'who proves an address takes it from who named it',
    file: 'db/queries/users.ts',
    changes: [['where ${value} = $2 and id <> $1 and', 'where false and ${value} = $2 and id <> $1 and']],
    test: tests,
    red: 'goes to whoever proves it; the other account is left without',
  },
  {
    name: 'who had an account is told of another address',
    file: 'domain/accounts/contacts.ts',
    changes: [["  await tellOwner(tx, deps, before, 'contact_changed');\n", '']],
    test: 'test/attention/account-notices.test.ts',
    red: 'at those that were proved before, and stands in the audit: email',
  },
  {
    name: 'an address is proved by one account',
    file: 'db/migrations/20261128T0800_contacts_by_proof.ts',
    changes: [['create unique index users_email_key', 'create index users_email_key']],
    test: tests,
    red: 'of two who prove it at the same moment one has it',
  },
  {
    name: 'no code is sent for what another account has proved',
    file: 'domain/accounts/send-code.ts',
    changes: [
      [
        'return holder ? tellHolder(deps, request, holder) : tellCode(deps, request);',
        'return tellCode(deps, request);',
      ],
    ],
    test: tests,
    red: 'cannot be proved once somebody has: who asks gets no code, and its owner is told',
  },
  {
    name: 'a new password by mail drops what was only named',
    file: passwords,
    changes: [['  await dropUnprovedContacts(tx, user.id);\n', '']],
    test: tests,
    red: 'and its password forgotten: whoever gets the mail has the account, without what was laid in it',
  },
  {
    name: 'a mail about a forgotten password leads into no account of which something else is proved',
    file: 'domain/accounts/send-notice.ts',
    changes: [['proved.length === 0 || proved', 'proved.length >= 0 || proved']],
    test: tests,
    red: 'is no way into an account of which somebody has proved something else',
  },
  {
    name: 'a new password by mail silences every device',
    file: passwords,
    changes: [['  await silenceDevices(tx, user.id);\n', '']],
    test: tests,
    red: 'is replaced by what a mail brings; every session ends, and no device is pushed to',
  },
  {
    name: 'no link that was sent before opens anything after a new password',
    file: passwords,
    changes: [['  await deletePasswordResets(tx, user.id);\n', '']],
    test: tests,
    red: 'works once: neither the same link again nor an older one does anything',
  },
  {
    name: 'who began to sign in before a new password is not let in',
    file: signIn,
    changes: [['if (!(await holdPassword(tx, user.id, passwordHash)))', 'if (false)']],
    test: tests,
    red: 'lets nobody in who began to sign in with the former one',
  },
  {
    name: 'mails about forgotten passwords are limited for each address',
    file: passwords,
    changes: [['  await insistOn(tx, deps, resetsTo(contact));\n', '']],
    test: tests,
    red: 'is no way to flood somebody, known or not',
  },
  {
    name: 'guesses at the old password are counted',
    file: passwords,
    changes: [
      ['    await commit(deps, async (tx) => ({ value: await insistOn(tx, deps, passwordTriesOf(actor)) }));\n', ''],
    ],
    test: tests,
    red: 'refuses a wrong old one, so many times in a session, and as often in each other one',
  },
  {
    name: 'an allowance is taken in one statement',
    file: 'db/queries/allowances.ts',
    changes: [['or a.used < $2', 'or a.used < $2 + 1000']],
    test: tests,
    red: 'are sent to one address so many, whoever asks; signing up with it goes on, without one',
  },
  {
    name: 'passwords: a leaked one is refused',
    file: 'domain/accounts/password-policy.ts',
    changes: [["  if (await passwords.isLeaked(password)) throw faultyField(field, 'too_common', leaked);\n", '']],
    test: 'test/api/leaked-passwords.test.ts',
    red: 'are refused to who registers, and five digits of a hash are all that is told',
  },
  {
    name: 'passwords: of a hash five digits are told',
    file: 'platform/leaked-passwords.ts',
    changes: [['rangeOf(hash.slice(0, prefixLength))', 'rangeOf(hash)']],
    test: 'test/api/leaked-passwords.test.ts',
    red: 'are refused to who registers, and five digits of a hash are all that is told',
  },
  {
    name: 'sockets: a refused event stands in the log',
    file: 'realtime/on.ts',
    changes: [['    else options.refused(', '    else void (']],
    test: 'test/realtime/refusals.test.ts',
    red: 'an event of a socket, and what it asked for by the contract’s name',
  },
  {
    name: 'sockets: a refused handshake stands in the log',
    file: 'realtime/handshake.ts',
    changes: [["  refused('handshake refused', { code: error.code,", '  void ({ code: error.code,']],
    test: 'test/realtime/refusals.test.ts',
    red: 'a handshake, with its code and, where that is known, whose',
  },
  {
    name: 'production speaks to no service in the clear',
    file: 'platform/in-the-clear.ts',
    changes: [['...plainServices(env), ', '']],
    test: 'test/platform/config.test.ts',
    red: 'to redis: REDIS_URL=redis://:hunter2@redis:6379',
  },
  {
    name: 'production has no public address in the clear',
    file: 'platform/in-the-clear.ts',
    changes: [['...plainPublicly(env), ', '']],
    test: 'test/platform/config.test.ts',
    red: 'to people: HOMING_PUBLIC_URL',
  },
  {
    name: 'passwords: whoever knows the leaked ones is asked by the one way out',
    file: 'runtime.ts',
    changes: [['        request: egress.fetch,', '        request: fetch,']],
    test: 'test/api/leaked-passwords.test.ts',
    red: 'are asked about at no address inside that was not named',
  },
  {
    name: 'in the clear: the host is where node-postgres goes',
    file: 'platform/in-the-clear.ts',
    changes: [
      [
        "return new pg.Client(address.replaceAll(/(?<=[?&])ssl\\w*=[^&]*/g, '')).host;",
        "return URL.parse(address)?.searchParams.get('host') ?? URL.parse(address)?.hostname;",
      ],
    ],
    test: 'test/platform/config.test.ts',
    red: 'to postgresql: DATABASE_URL=postgres://homing_app:hunter2@db/homing?host=localhost&host=db2',
  },
];
