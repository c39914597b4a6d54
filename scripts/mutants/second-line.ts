import type { Mutant } from './mutant.ts';

const suite = 'test/db/row-level-security.test.ts';
const changes = 'db/migrations/20261128T1700_second_line_of_changes.ts';
const holes = 'db/migrations/20261128T1900_second_line_holes.ts';
const migration = 'db/migrations/20261128T1500_row_level_security.ts';

/** Row-level security, and where something passes it. */
export const secondLine: readonly Mutant[] = [
  {
    name: 'second line: messages from the joining on',
    file: holes,
    changes: [
      [
        'messages.version = mine.left_version) and mine.joined_seq < messages.seq));',
        'messages.version = mine.left_version)));',
      ],
    ],
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
    file: holes,
    changes: [
      [
        "    if current_user = 'homing_person' and (\n      old.conv",
        "    if current_user = 'nobody' and (\n      old.conv",
      ],
    ],
    test: suite,
    red: 'nobody changes their own role or from where they read',
    behindPolicies: true,
  },
  {
    name: 'second line: nobody widens from where they read',
    file: holes,
    changes: [
      [
        '          and (old.joined_seq, old.joined_version, old.came_seq) is not distinct from (new.joined_seq, new.joined_version, new.came_seq)\n',
        '',
      ],
    ],
    test: suite,
    red: 'nobody says from where or until when they read',
    behindPolicies: true,
  },
  {
    name: 'second line: who has gone stays gone from where they went',
    file: holes,
    changes: [
      [
        '      or (old.left_at is not null and (old.left_at, old.left_version) is distinct from (new.left_at, new.left_version))\n',
        '      or (old.left_at is not null and new.left_at is null)\n',
      ],
    ],
    test: suite,
    red: 'nobody says from where or until when they read',
    behindPolicies: true,
  },
  {
    name: 'second line: nobody reads beyond their end',
    file: holes,
    changes: [['new.left_version > coalesce(version_of(new.conversation_id), 0)', 'new.left_version < 0']],
    test: suite,
    red: 'nobody says from where or until when they read',
    behindPolicies: true,
  },
  {
    name: 'second line: settings are changed by who leads',
    file: holes,
    changes: [['not person_leads(old.id) then', 'old.id is null then']],
    test: suite,
    red: 'who leads it says what it is',
    behindPolicies: true,
  },
  {
    name: 'second line: an end for all is asked as it began',
    file: holes,
    changes: [
      [
        'create function refuse_unled_settings() returns trigger language plpgsql stable',
        'create function refuse_unled_settings() returns trigger language plpgsql',
      ],
    ],
    test: suite,
    red: 'nobody says from where or until when they read',
    behindPolicies: true,
  },
  {
    name: 'second line: members are counted by who leads',
    file: holes,
    changes: [
      ['(old.member_count, old.member_count - 1)', '(old.member_count, old.member_count - 1, new.member_count)'],
    ],
    test: suite,
    red: 'who leads it says what it is',
    behindPolicies: true,
  },
  {
    name: 'second line: what a conversation is stays so for everybody',
    file: holes,
    changes: [['  revoke update on conversations from homing_person;\n', '']],
    test: suite,
    red: 'who leads it says what it is',
    behindPolicies: true,
  },
  {
    name: 'second line: a pair is blocked by its blocks',
    file: holes,
    changes: [
      ["(new.kind <> 'direct' or new.blocked <> exists (", "(new.kind <> 'direct' or new.blocked is null and exists ("],
    ],
    test: suite,
    red: 'a pair is blocked as its blocks say',
    behindPolicies: true,
  },
  {
    name: 'second line: conversations of others are not there',
    file: holes,
    changes: [
      [
        "alter policy person on conversations using (visibility = 'open' or exists (",
        'alter policy person on conversations using (true or exists (',
      ],
    ],
    test: suite,
    red: 'a stranger sees of conversations those that are open to all',
    behindPolicies: true,
  },
  {
    name: 'second line: bans in one’s own name',
    file: holes,
    changes: [
      [
        'with check (banned_by = (select person()) and person_leads(conversation_id))',
        'with check (person_leads(conversation_id))',
      ],
    ],
    test: suite,
    red: 'nobody bans or invites in another’s name',
    behindPolicies: true,
  },
  {
    name: 'second line: invitations in one’s own name',
    file: holes,
    changes: [
      [
        'with check (created_by = (select person()) and person_leads(conversation_id))',
        'with check (person_leads(conversation_id))',
      ],
    ],
    test: suite,
    red: 'nobody bans or invites in another’s name',
    behindPolicies: true,
  },
  {
    name: 'second line: a block is lifted by who blocked',
    file: holes,
    changes: [
      [
        'create policy person_lifts on blocks for delete to homing_person using (user_id = (select person()))',
        'create policy person_lifts on blocks for delete to homing_person using (true)',
      ],
      // What is kept of a block that was lifted is its person's, too.
      ['  lifted_blocks: mine,', "  lifted_blocks: 'true',"],
    ],
    test: suite,
    red: 'lets nobody lift a block of another’s',
    behindPolicies: true,
  },
  {
    name: 'second line: a block is made by who blocks',
    file: holes,
    changes: [
      [
        'create policy person_adds on blocks for insert to homing_person with check (user_id = (select person()))',
        'create policy person_adds on blocks for insert to homing_person with check (true)',
      ],
    ],
    test: suite,
    red: 'lets nobody lift a block of another’s',
    behindPolicies: true,
  },
  {
    name: 'second line: a stranger says nothing',
    file: holes,
    changes: [
      [
        "with check (sender_id = (select person()) and kind = 'system' and person_belongs(conversation_id))",
        "with check (sender_id = (select person()) and kind = 'system')",
      ],
    ],
    test: suite,
    red: 'a stranger puts nothing into it, also in their own name',
    behindPolicies: true,
  },
  {
    name: 'second line: nobody says anything as another',
    file: holes,
    changes: [
      [
        "with check (sender_id = (select person()) and kind = 'system' and person_belongs(conversation_id))",
        "with check (kind = 'system' and person_belongs(conversation_id))",
      ],
    ],
    test: suite,
    red: 'nobody says, does or changes anything in another’s name',
    behindPolicies: true,
  },
  {
    name: 'second line: what is said is stored by the lane alone',
    file: holes,
    changes: [["(select person()) and kind = 'system' and person_belongs", '(select person()) and person_belongs']],
    test: suite,
    red: 'nobody says, does or changes anything in another’s name',
    behindPolicies: true,
  },
  {
    name: 'second line: a message stays its sender’s',
    file: holes,
    changes: [['  revoke update on messages from homing_person;\n', '']],
    test: suite,
    red: 'nobody says, does or changes anything in another’s name',
    behindPolicies: true,
  },
  {
    name: 'second line: words are changed by who said them',
    file: holes,
    changes: [
      [
        "    if current_user = 'homing_person' and old.sender_id <> person()\n",
        "    if current_user = 'nobody' and old.sender_id <> person()\n",
      ],
    ],
    test: suite,
    red: 'who wrote something changes what it says',
    behindPolicies: true,
  },
  {
    name: 'second line: earlier words are kept by who said them',
    file: holes,
    changes: [
      [
        "with check (person_belongs(conversation_id) and ${author('message_edits')})",
        'with check (person_belongs(conversation_id))',
      ],
    ],
    test: suite,
    red: 'nobody says, does or changes anything in another’s name',
    behindPolicies: true,
  },
  {
    name: 'second line: a reaction is its person’s',
    file: holes,
    changes: [
      [
        "with check (user_id = (select person()) and ${member('reactions', 'and mine.joined_seq < reactions.seq')})",
        "with check (${member('reactions', 'and mine.joined_seq < reactions.seq')})",
      ],
    ],
    test: suite,
    red: 'nobody says, does or changes anything in another’s name',
    behindPolicies: true,
  },
  {
    name: 'second line: reactions of others stay',
    file: holes,
    changes: [
      [
        "using (user_id = (select person()) or person_leads(conversation_id) or ${author('reactions')})",
        'using (true)',
      ],
    ],
    test: suite,
    red: 'reactions go with who gave them',
    behindPolicies: true,
  },
  {
    name: 'second line: a stranger follows no thread',
    file: holes,
    changes: [
      [
        'create policy person_adds on thread_members for insert to homing_person with check (person_belongs(conversation_id))',
        'create policy person_adds on thread_members for insert to homing_person with check (true)',
      ],
    ],
    test: suite,
    red: 'lets a stranger add nothing like what is another’s',
    behindPolicies: true,
  },
  {
    name: 'second line: changes from the joining on',
    file: holes,
    changes: [['      and mine.joined_version < events.version and (mine', '      and (mine']],
    test: suite,
    red: 'a member reads changes from their joining on',
    behindPolicies: true,
  },
  {
    name: 'second line: a change is told of who made it',
    file: holes,
    changes: [
      [
        'with check (actor_id = (select person()) and person_belongs(conversation_id));`',
        'with check (person_belongs(conversation_id));`',
      ],
    ],
    test: suite,
    red: 'nobody says, does or changes anything in another’s name',
    behindPolicies: true,
  },
  {
    name: 'second line: a stranger tells of no change',
    file: holes,
    changes: [
      [
        'with check (actor_id = (select person()) and person_belongs(conversation_id));`',
        'with check (actor_id = (select person()));`',
      ],
    ],
    test: suite,
    red: 'a stranger puts nothing into it, also in their own name',
    behindPolicies: true,
  },
  {
    name: 'second line: a bot has no role',
    file: holes,
    changes: [['  revoke insert on users from homing_person;\n', '']],
    test: suite,
    red: 'gives a bot no role and no password',
    behindPolicies: true,
  },
  {
    name: 'second line: a bot has no password',
    file: holes,
    changes: [["and kind = 'bot' and password_hash = '')", "and kind = 'bot')"]],
    test: suite,
    red: 'gives a bot no role and no password',
    behindPolicies: true,
  },
  {
    name: 'second line: nobody’s word is taken for what they proved',
    file: holes,
    changes: [
      ['  revoke update (email, email_verified_at, phone, phone_verified_at) on accounts from homing_person;`', '  `'],
    ],
    test: suite,
    red: 'gives a bot no role and no password',
    behindPolicies: true,
  },
  {
    name: 'second line: a challenge is its person’s',
    file: holes,
    changes: [['  challenges: mine,', "  challenges: 'true',"]],
    test: suite,
    red: 'nobody makes it in another’s name, or uses theirs',
    behindPolicies: true,
  },
  {
    name: 'second line: a ticket is its person’s',
    file: holes,
    changes: [['  oauth_tickets: mine,', "  oauth_tickets: 'true',"]],
    test: suite,
    red: 'nobody makes it in another’s name, or uses theirs',
    behindPolicies: true,
  },
  {
    name: 'second line: a reset of a password is its person’s',
    file: holes,
    changes: [['  password_resets: mine,', "  password_resets: 'true',"]],
    test: suite,
    red: 'addresses of others are read nowhere',
    behindPolicies: true,
  },
  {
    name: 'second line: nobody makes a reset of a password',
    file: holes,
    changes: [["  password_resets: 'insert, update',\n", '']],
    test: suite,
    red: 'nobody asks for a new password, or says where it is sent',
    behindPolicies: true,
  },
  {
    name: 'second line: where somebody is told is nobody’s to read',
    file: holes,
    changes: [["  notices: 'select, update, delete',\n", "  notices: 'update, delete',\n"]],
    test: suite,
    red: 'addresses of others are read nowhere',
    behindPolicies: true,
  },
  {
    name: 'second line: a key names its pair',
    file: holes,
    changes: [['  conversation_keys: keyed,', "  conversation_keys: 'true',"]],
    test: suite,
    red: 'addresses of others are read nowhere',
    behindPolicies: true,
  },
  {
    name: 'second line: what is armed is its person’s',
    file: holes,
    changes: [['  armed: mine,', "  armed: 'true',"]],
    test: suite,
    red: 'nobody keeps others from being told',
    behindPolicies: true,
  },
  {
    name: 'second line: what is owed is one’s own, or of one’s conversations',
    file: holes,
    changes: [
      [
        'with check (case when conversation_id is null then ${mine} else',
        'with check (case when conversation_id is null then true else',
      ],
    ],
    test: suite,
    red: 'nobody keeps others from being told',
    behindPolicies: true,
  },
  {
    name: 'second line: what is owed is taken away by the relay',
    file: holes,
    changes: [["  outbox: 'select, update, delete',\n", '']],
    test: suite,
    red: 'nobody keeps others from being told',
    behindPolicies: true,
  },
  {
    name: 'second line: an entry of the audit names who acts',
    file: holes,
    changes: [
      [
        'for insert to homing_person with check (actor_id = (select person()));`',
        'for insert to homing_person with check (true);`',
      ],
    ],
    test: suite,
    red: 'nobody is written down for what another did',
    behindPolicies: true,
  },
  {
    name: 'second line: what is counted is nobody’s to count',
    file: holes,
    changes: [['  allowances: all,\n', '']],
    test: suite,
    red: 'nobody reads or changes tables that are of no person',
    behindPolicies: true,
  },
  {
    name: 'second line: a rule of the past is its person’s',
    file: holes,
    changes: [["case when kind = 'membership' then person_leads(subject::uuid) else false end", 'true']],
    test: suite,
    red: 'nobody forgets what was another’s rule',
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
