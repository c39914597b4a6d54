import type { Mutant } from './mutant.ts';

const suite = 'test/db/row-level-security.test.ts';
const changes = 'db/migrations/20261128T1700_second_line_of_changes.ts';
const migration = 'db/migrations/20261128T1500_row_level_security.ts';

/** Row-level security, and where something passes it. */
export const secondLine: readonly Mutant[] = [
  {
    name: 'second line: messages from the joining on',
    file: migration,
    changes: [["    'and mine.joined_seq < messages.seq',\n", "    '',\n"]],
    test: suite,
    red: 'shows a member what was written from their joining on',
    behindPolicies: true,
  },
  {
    name: 'second line: the owner of the tables is held to it, too',
    file: migration,
    changes: [['      alter table ${table} force row level security;\n', '']],
    test: suite,
    red: 'stands on every table but those that are named here, by force',
    behindPolicies: true,
  },
  {
    name: 'second line: members are made by who leads a conversation',
    file: changes,
    changes: [
      [
        'create policy person_adds on members for insert to homing_person with check (person_leads(conversation_id))',
        'create policy person_adds on members for insert to homing_person with check (true)',
      ],
    ],
    test: suite,
    red: 'nobody makes themselves or others a member, bans or invites',
    behindPolicies: true,
  },
  {
    name: 'second line: whoever leads nothing stays what they are',
    file: changes,
    changes: [["    if current_user = 'homing_person' and (", "    if current_user = 'nobody' and ("]],
    test: suite,
    red: 'nobody changes their own role or from where they read',
    behindPolicies: true,
  },
  {
    name: 'second line: addresses and hashes of others are hidden',
    file: changes,
    changes: [['  revoke select, update, delete on users', '  revoke delete on users']],
    test: suite,
    red: 'shows everybody’s names, and addresses, numbers and hashes to nobody else',
    behindPolicies: true,
  },
  {
    name: 'second line: an account is its own person’s',
    file: changes,
    changes: [["where current_user <> 'homing_person' or id = (select person())", 'where true']],
    test: suite,
    red: 'has one account by which they see all of their own',
    behindPolicies: true,
  },
  {
    name: 'second line: a transaction of a person is begun in their name',
    file: 'db/client.ts',
    changes: [['  `begin; set local role homing_person; set local', '  `begin; set local']],
    test: suite,
    red: 'shows a stranger nothing of any table, whatever is asked for',
    behindPolicies: true,
  },
  {
    name: 'second line: and only for as long as it lasts',
    file: 'db/client.ts',
    changes: [['  `begin; set local role homing_person; set local', '  `begin; set role homing_person; set local']],
    test: suite,
    red: 'the connection is nobody’s afterwards',
    behindPolicies: true,
  },
  {
    name: 'second line: a name is a name only',
    file: 'db/client.ts',
    changes: [['${pg.escapeLiteral(userId)}', "'${userId}'"]],
    test: suite,
    red: 'takes a name for a name only',
    behindPolicies: true,
  },
  {
    name: 'second line: no bound is computed by what is not trusted',
    file: 'db/queries/messages.ts',
    changes: [['t.root_seq = least(', 't.root_seq = coalesce(']],
    test: suite,
    red: 'messagesPage finds its rows by the same indexes',
    behindPolicies: true,
  },
  {
    name: 'second line: an operation is done in its person’s name',
    file: 'domain/access/index.ts',
    changes: [['actor && isHeldTo(rule) ? {', 'actor && isHeldTo(rule) && actor.userId.length === 0 ? {']],
    test: 'test/access/second-line.test.ts',
    red: 'what a guard forgets is not there, by REST and by the socket',
    behindPolicies: true,
  },
  {
    name: 'second line: whom a push token belonged to is not the actor',
    file: 'db/queries/devices.ts',
    changes: [['  await tx.asEverybody((all) =>\n    all.query({', '  await [tx].map((all) =>\n    all.query({']],
    test: 'test/api/me.test.ts',
    red: 'a push token belongs to who registered it last',
    behindPolicies: true,
  },
  {
    name: 'second line: who is held back is told by the recipients’ rules',
    file: 'domain/messages/delivery.ts',
    changes: [['await heldBackOf(asEverybody,', 'await heldBackOf(deps,']],
    test: 'test/attention/urgent.test.ts',
    red: 'waits as any other where its sender does not come through, and the sender is told until when',
    behindPolicies: true,
  },
];
