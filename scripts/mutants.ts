/** A guard taken away: the text that is it, what stands there without it, and the test that must turn red. */
export interface Mutant {
  name: string;
  file: string;
  /** Each must stand in the file exactly once. */
  changes: readonly (readonly [find: string, replace: string])[];
  test: string;
}

const store = 'db/queries/store-messages.ts';
const reducer = 'sdk/reducer.ts';
const [cache, changeOfPerson] = ['test/sdk/cache.test.ts', 'test/sdk/change-of-person.test.ts'];

/** The guards that the promises rest on. A change that moves one of them moves its text here too. */
export const mutants: readonly Mutant[] = [
  {
    name: 'one row for sender and clientId',
    file: 'db/migrations/20261124T0400_ids_in_order_of_time.ts',
    changes: [['create unique index messages_once on', 'create index messages_once on']],
    test: 'test/api/races.test.ts',
  },
  {
    name: 'a repeat is told by its content',
    file: store,
    changes: [['known.deleted_at is not null or known.fingerprint = i.fingerprint as same', 'true as same']],
    test: 'test/api/messages.test.ts',
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
  },
  {
    name: 'membership is looked at in the statement',
    file: store,
    changes: [['and m.user_id = i.sender_id and m.left_at is null', 'and m.user_id = i.sender_id']],
    test: 'test/api/members.test.ts',
  },
  {
    name: 'a membership that changed meanwhile stores nothing',
    file: store,
    changes: [[' and c.member_version = l.member_version', '']],
    test: 'test/api/races.test.ts',
  },
  {
    name: 'rights are looked at behind the lock',
    file: 'domain/access/index.ts',
    changes: [
      [
        `  const conversation = await lockConversation(tx, id);
  const member = conversation && (await roleOf(tx, id, actor.userId));`,
        `  const member = await roleOf(tx, id, actor.userId);
  const conversation = await lockConversation(tx, id);`,
      ],
    ],
    test: 'test/api/races.test.ts',
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
  },
  {
    name: 'the read mark moves forward only',
    file: 'db/queries/members.ts',
    changes: [['greatest(m.read_seq, least(i.read, c.last_seq)) as read', 'least(i.read, c.last_seq) as read']],
    test: 'test/api/races.test.ts',
  },
  {
    name: 'a read mark ends at the last message',
    file: 'db/queries/members.ts',
    changes: [['greatest(m.read_seq, least(i.read, c.last_seq)) as read', 'greatest(m.read_seq, i.read) as read']],
    test: 'test/api/messages.test.ts',
  },
  {
    name: 'deletion erases earlier texts',
    file: 'db/queries/message-changes.ts',
    changes: [['edits as (delete from message_edits where', 'edits as (select from message_edits where']],
    test: 'test/api/message-changes.test.ts',
  },
  {
    name: 'deletion erases the text',
    file: 'db/queries/message-changes.ts',
    changes: [['update messages set text = null, mentions = null', 'update messages set mentions = null']],
    test: 'test/api/message-changes.test.ts',
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
  },
  {
    name: 'a page looks at the membership again',
    file: 'db/queries/messages.ts',
    changes: [['and r.left_at is null', '']],
    test: 'test/sync/edges.test.ts',
  },
  {
    name: 'what was before one came only takes its number in the log',
    file: 'db/queries/log.ts',
    changes: [['coalesce(entry.message_seq <= entry.joined_seq, false) as hidden', 'false as hidden']],
    test: 'test/sync/edges.test.ts',
  },
  {
    name: 'a change of an earlier message is hidden from newcomers',
    file: 'realtime/delivery.ts',
    changes: [['|| (messageSeq > 0 && messageSeq <= joined.seq)', '']],
    test: 'test/realtime/membership.test.ts',
  },
  {
    name: 'an earlier change is hidden from newcomers',
    file: 'realtime/delivery.ts',
    changes: [['((version > 0 && version <= joined.version) || ', '(']],
    test: 'test/faults/redis.test.ts',
  },
  {
    name: 'a node that knows an older membership looks',
    file: 'realtime/delivery.ts',
    changes: [['if (!follow || item.memberVersion <= follow.memberVersion) return false;', 'if (item) return false;']],
    test: 'test/faults/redis.test.ts',
  },
  {
    name: 'who has only read a thread follows it when mentioned',
    file: store,
    changes: [['coalesce(t.following, true) or', 't.following or']],
    test: 'test/api/message-changes.test.ts',
  },
  {
    name: 'the repeat of a forward is told by the message that it names',
    file: 'domain/messages/send-message.ts',
    changes: [["{ ...row, fingerprint: fingerprint('forwarded', id) }", 'row']],
    test: 'test/api/message-changes.test.ts',
  },
  {
    name: 'an adding that comes late brings nobody back',
    file: 'realtime/delivery.ts',
    changes: [['of late ? [] : (item.joins ?? [])', 'of item.joins ?? []']],
    test: 'test/faults/late-bus.test.ts',
  },
  {
    name: 'a removal that comes late sends nobody away',
    file: 'realtime/delivery.ts',
    changes: [['if (told && late) continue;', '']],
    test: 'test/faults/late-bus.test.ts',
  },
  {
    name: 'a change of members that comes late is looked into',
    file: 'realtime/delivery.ts',
    changes: [['if (late && differs(item, known))', 'if (late && !known)']],
    test: 'test/faults/late-bus.test.ts',
  },
  {
    name: 'who goes hears nothing afterwards',
    file: 'realtime/delivery.ts',
    changes: [['if (follow && told) follows.unfollow(user, follow);', '']],
    test: 'test/realtime/membership.test.ts',
  },
  {
    name: 'no answer leads its reader out of a conversation to which they have come back',
    file: 'domain/sync/snapshots.ts',
    changes: [["type === 'members.removed' && data", "type === 'members.removed' && !data"]],
    test: 'test/sync/edges.test.ts',
  },
  {
    name: 'a sync brings the watermarks that moved where nothing else did',
    file: 'db/queries/sync.ts',
    changes: [['(k.unsettled or k.version < c.version)', 'k.version < c.version']],
    test: 'test/sync/sync.test.ts',
  },
  {
    name: 'a digest tells what moved',
    file: 'realtime/digests.ts',
    changes: [['if (!follow || follow.digested >= version) continue;', 'if (follow !== null) continue;']],
    test: 'test/realtime/membership.test.ts',
  },
  {
    name: 'a digest tells who joined',
    file: 'realtime/digests.ts',
    changes: [['if (slice === 0) await readJoins();', 'if (slice === slices) await readJoins();']],
    test: 'test/faults/joins.test.ts',
  },
  {
    name: 'a membership that was read is held against the one that is known',
    file: 'realtime/delivery.ts',
    changes: [['else if (known && known.memberVersion !== memberVersion) void lookThenDeliver(id, []);', '']],
    test: 'test/realtime/membership.test.ts',
  },
  {
    name: 'a look at the members judges nobody whom it did not ask for',
    file: 'realtime/delivery.ts',
    changes: [['if (waiting.has(id)) outdated.add(id);', 'if (waiting.has(id)) return;']],
    test: 'test/realtime/membership.test.ts',
  },
  {
    name: 'a digest tells who was removed',
    file: 'realtime/digests.ts',
    changes: [['of options.follows.departures())', 'of options.follows.departures().slice(0, 0))']],
    test: 'test/realtime/membership.test.ts',
  },
  {
    name: 'who leaves while being greeted makes room',
    file: 'realtime/admission.ts',
    changes: [["      conn.once('close', end);\n", '']],
    test: 'test/realtime/admission.test.ts',
  },
  {
    name: 'who is refused makes room',
    file: 'realtime/handshake.ts',
    changes: [['    greeted();\n    throw error;', '    throw error;']],
    test: 'test/realtime/admission.test.ts',
  },
  {
    name: 'a conversation keeps to its lane',
    file: 'domain/lane.ts',
    changes: [['placeOf(item) % count', 'Math.floor(performance.now() * 1_000) % count']],
    test: 'test/domain/lane.test.ts',
  },
  {
    name: 'who was removed while they read is told so',
    file: 'domain/access/index.ts',
    changes: [['    if (rows.length > 0) return rows;', '    return rows;']],
    test: 'test/api/members.test.ts',
  },
  {
    name: 'a socket that floods is cut off',
    file: 'realtime/packet-limit.ts',
    changes: [['if (packets === limits.socketPacketsPerSecond + 1)', 'if (packets < 0)']],
    test: 'test/realtime/packet-limit.test.ts',
  },
  {
    name: 'an acknowledgement that is none is not called',
    file: 'realtime/on.ts',
    changes: [["given.findLast((argument) => typeof argument === 'function')", 'given.at(-1)']],
    test: 'test/realtime/fuzz.test.ts',
  },
  {
    name: 'a body that does not unpack is its sender’s fault',
    file: 'api/middleware/body.ts',
    changes: [['return isUnreadable(error) ? ', 'return String(error) === "" ? ']],
    test: 'test/api/fuzz.test.ts',
  },
  {
    name: 'the client applies entries in turn',
    file: reducer,
    changes: [['if (!state || event.version !== state.version + 1)', 'if (!state)']],
    test: 'test/sdk/reducer.test.ts',
  },
  {
    name: 'the client keeps the newer state of a message',
    file: reducer,
    changes: [['if (!message || message.changedVersion >= event.version) return;', 'if (!message) return;']],
    test: 'test/sdk/reducer.test.ts',
  },
  {
    name: 'a page takes nothing back from the client',
    file: reducer,
    changes: [['if (!known || known.changedVersion <= message.changedVersion) messages.set', 'messages.set']],
    test: 'test/sdk/reducer.test.ts',
  },
  {
    name: 'what a person held is not shown to the next',
    file: 'sdk/parts.ts',
    changes: [['    this.conversations.clear();', '']],
    test: changeOfPerson,
  },
  {
    name: 'what a person wrote is not sent as the next',
    file: 'sdk/parts.ts',
    changes: [['[this.outbox, this.acknowledgements, this.catchUp]', '[this.acknowledgements, this.catchUp]']],
    test: changeOfPerson,
  },
  {
    name: 'what a person wrote is not sent as the next once it is kept',
    file: 'sdk/outbox.ts',
    changes: [['      if (entry.gone.signal.aborted) return undefined;', '']],
    test: changeOfPerson,
  },
  {
    name: 'what a person read is not told of the next',
    file: 'sdk/parts.ts',
    changes: [['[this.outbox, this.acknowledgements, this.catchUp]', '[this.outbox, this.catchUp]']],
    test: changeOfPerson,
  },
  {
    name: 'what a person was behind with is not asked for by the next',
    file: 'sdk/parts.ts',
    changes: [['[this.outbox, this.acknowledgements, this.catchUp]', '[this.outbox, this.acknowledgements]']],
    test: changeOfPerson,
  },
  {
    name: 'what a person does again is not done as the next',
    file: 'sdk/client.ts',
    changes: [["      if (this.user?.id !== asks) throw new HomingError('signed_out');", '']],
    test: changeOfPerson,
  },
  {
    name: 'what a person asked for is not answered to the next',
    file: 'sdk/session.ts',
    changes: [["if (asks && this.user && this.user.id !== asks.user.id) throw new HomingError('signed_out');", '']],
    test: changeOfPerson,
  },
  {
    name: 'a tab of one person does not renew over the next',
    file: 'sdk/session.ts',
    changes: [['if (done !== kept && isMine)', 'if (done !== kept)']],
    test: changeOfPerson,
  },
  {
    name: 'a tab of one person does not sign the next out',
    file: 'sdk/session.ts',
    changes: [['if (kept?.user.id === user.id) await', 'if (kept) await']],
    test: changeOfPerson,
  },
  {
    name: 'whoever takes up the storage leaves the person before',
    file: 'sdk/client.ts',
    changes: [['    this.#makeRoomFor(user);', '']],
    test: changeOfPerson,
  },
  {
    name: 'what is kept of one person is not shown to the next',
    file: 'sdk/sync/cache.ts',
    changes: [['!key.startsWith(prefix) || ', '']],
    test: changeOfPerson,
  },
  {
    name: 'signing out forgets what is kept',
    file: 'sdk/client.ts',
    changes: [['    await cache.clear();', '']],
    test: changeOfPerson,
  },
  {
    name: 'signing out forgets what waits',
    file: 'sdk/client.ts',
    changes: [['    await outbox.erase();', '']],
    test: changeOfPerson,
  },
  {
    name: 'signing out forgets the tokens',
    file: 'sdk/client.ts',
    changes: [['    await session.forget();', '']],
    test: changeOfPerson,
  },
  {
    name: 'what an ended session kept is thrown away',
    file: 'sdk/parts.ts',
    changes: [['        void this.cache.clear();', '']],
    test: cache,
  },
  {
    name: 'what is kept in another shape is thrown away',
    file: 'sdk/sync/kept.ts',
    changes: [['if (kept?.schema !== schema) return undefined;', 'if (!kept?.state) return undefined;']],
    test: cache,
  },
  {
    name: 'a burst is written once',
    file: 'sdk/sync/cache.ts',
    changes: [['    await surroundings.wait(limits.keepMs, this.#hurry.signal);', '']],
    test: cache,
  },
  {
    name: 'what was kept long is fetched whole',
    file: 'sdk/sync/cache.ts',
    changes: [['kept.wholeAt < surroundings.now() - limits.keptMs', 'false']],
    test: cache,
  },
  {
    name: 'so many conversations are kept',
    file: 'sdk/sync/cache.ts',
    changes: [['latest.slice(0, limits.keptConversations)', 'latest']],
    test: cache,
  },
  {
    name: 'so many messages are kept',
    file: 'sdk/sync/kept.ts',
    changes: [['.slice(-messages)', '']],
    test: cache,
  },
  {
    name: 'what was kept and not acknowledged is told',
    file: 'sdk/sync/sync.ts',
    changes: [['  for (const standing of standings) conversations.tellKept(standing);', '']],
    test: cache,
  },
  {
    name: 'what was kept as read is told',
    file: 'sdk/sync/conversations.ts',
    changes: [['    if (mine > readSeq) this.#told.readHere(id, mine);', '']],
    test: cache,
  },
  {
    name: 'a failing storage does not break the client',
    file: 'sdk/sync/cache.ts',
    changes: [['      return otherwise;', '      throw cause;']],
    test: cache,
  },
  {
    name: 'a failed write goes along with the next',
    file: 'sdk/sync/cache.ts',
    changes: [['    if (!written) for (const id of moved) this.#moved.add(id);\n    else {', '    if (written) {']],
    test: cache,
  },
  {
    name: 'a message thrown away holds up nobody',
    file: 'sdk/outbox.ts',
    changes: [['patience.wait(failures, error, head.gone.signal)', 'patience.wait(failures, error)']],
    test: 'test/sdk/sending.test.ts',
  },
  {
    name: 'the plain client goes back to no older state',
    file: 'test/history/clients/view.ts',
    changes: [
      [
        `    if (version <= this.version(id)) return;
    this.conversations.set`,
        '    this.conversations.set',
      ],
    ],
    test: 'test/history/view.test.ts',
  },
];
