import assert from 'node:assert/strict';
import type { Client, ClientConversation } from '../../sdk/index.ts';
import { type Person, makeGroup, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, eager, heard, holds } from '../support/client.ts';

/** Every thing that a person can do is done once through the typed client, and seen by it. */
describe('everything that one can do, through the client', () => {
  let app: TestApp;
  let people: { ana: Person; ben: Person; cleo: Person };
  let clients: { ana: Client; ben: Client };
  before(async () => {
    app = await startApp();
    const [ana, ben, cleo] = await registerPeople(app, 'Ana', 'Ben', 'Cleo');
    people = { ana, ben, cleo };
    const online = (person: Person) => clientOf(app, person, { limits: eager });
    clients = { ana: await online(ana), ben: await online(ben) };
  });
  after(async () => {
    await Promise.all(Object.values(clients).map((client) => client.stop()));
    await app.stop();
  });

  /** What the client holds, once it is right. */
  const held = async (client: Client, id: string, right: (conversation: ClientConversation) => boolean) => {
    const is = () => {
      const conversation = client.conversation(id);
      return conversation !== undefined && right(conversation);
    };
    await holds(client, is);
    return client.conversation(id) as ClientConversation;
  };
  const gone = (client: Client, id: string) => holds(client, () => client.conversation(id) === undefined);
  /** A group of Ana and Ben that both hold. */
  const groupOf = async () => {
    const { id } = await makeGroup(people.ana, [people.ben]);
    for (const client of Object.values(clients)) await held(client, id, () => true);
    return id;
  };

  /** The direct conversation of Ana and Ben, whoever asks for it. */
  const pair = (client: Client) => {
    const other = client === clients.ana ? people.ben : people.ana;
    return client.createConversation({ kind: 'direct', memberIds: [other.id] });
  };

  describe('conversations', () => {
    it('direct ones, one for a pair', async () => {
      const { ana, ben } = clients;
      const { id, kind } = await pair(ana);
      assert.equal((await pair(ben)).id, id);
      assert.deepEqual([kind, (await held(ben, id, () => true)).memberCount], ['direct', 2]);
    });

    it('notes to oneself', async () => {
      const { ana } = clients;
      const { id, memberCount } = await ana.createConversation({ kind: 'direct', memberIds: [people.ana.id] });
      const { text } = await ana.send(id, { text: 'buy milk' }).stored;
      assert.deepEqual([memberCount, text], [1, 'buy milk']);
      assert.equal((await held(ana, id, ({ lastSeq }) => lastSeq === 1)).me.unread, 0);
    });

    it('groups, with settings that change, until they end', async () => {
      const { ana, ben } = clients;
      const { id } = await ana.createConversation({ kind: 'group', title: 'Ops', memberIds: [people.ben.id] });
      await ana.rest('updateConversation', { params: { id }, body: { title: 'Operations', description: 'all of it' } });
      assert.equal((await held(ben, id, ({ title }) => title === 'Operations')).description, 'all of it');
      await ana.rest('deleteConversation', { params: { id } });
      await gone(ben, id);
    });

    it('channels that are found and joined, where only some may write', async () => {
      const { ana, ben } = clients;
      const title = `News ${crypto.randomUUID()}`;
      const news = { kind: 'channel', title, visibility: 'open', posting: 'admins' } as const;
      const { id } = await ana.createConversation(news);
      const { items } = await ben.rest('listChannels', { query: { q: title } });
      assert.deepEqual(
        items.map((found) => [found.id, found.joined]),
        [[id, false]],
      );
      assert.deepEqual((await ben.rest('listChannels', { query: { q: crypto.randomUUID() } })).items, []);
      await ben.rest('joinChannel', { params: { id } });
      await held(ben, id, ({ posting }) => posting === 'admins');
      await assert.rejects(ben.send(id, { text: 'may I?' }).stored, { code: 'forbidden' });
      assert.equal((await ana.send(id, { text: 'read this' }).stored).text, 'read this');
      await ana.rest('updateConversation', { params: { id }, body: { posting: 'members' } });
      await held(ben, id, ({ posting }) => posting === 'members');
      assert.equal((await ben.send(id, { text: 'now I may' }).stored).senderId, people.ben.id);
    });

    it('their lists, page by page', async () => {
      const { ana } = clients;
      const made = [await groupOf(), await groupOf(), await groupOf()];
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await ana.rest('listConversations', { query: { limit: 2, ...(cursor ? { cursor } : {}) } });
        assert.ok(page.items.length <= 2);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor);
      // What was active shortly before comes once more behind the rest.
      const each = new Set(seen);
      assert.deepEqual([[...each], [...each].slice(0, 3)], [seen.slice(0, each.size), made.reverse()]);
      const { items, nextCursor } = await ana.rest('listMembers', {
        params: { id: made[0] ?? '' },
        query: { limit: 1 },
      });
      assert.deepEqual([items.length, nextCursor === null], [1, false]);
    });
  });

  describe('members', () => {
    it('are added, promoted and removed', async () => {
      const { ana, ben } = clients;
      const { id } = await makeGroup(people.ana, []);
      await ana.rest('addMembers', { params: { id }, body: { userIds: [people.ben.id, people.cleo.id] } });
      await ana.rest('changeMember', { params: { id, userId: people.ben.id }, body: { role: 'admin' } });
      await held(ben, id, ({ me }) => me.role === 'admin');
      await ben.rest('removeMember', { params: { id, userId: people.cleo.id } });
      await held(ana, id, ({ memberCount }) => memberCount === 2);
      await assert.rejects(ben.rest('removeMember', { params: { id, userId: people.ana.id } }), { code: 'forbidden' });
    });

    it('leave, the owner once another one is', async () => {
      const { ana, ben } = clients;
      const id = await groupOf();
      await assert.rejects(ana.rest('leaveConversation', { params: { id } }), { code: 'last_owner' });
      await ana.rest('transferOwnership', { params: { id }, body: { userId: people.ben.id } });
      await held(ben, id, ({ me }) => me.role === 'owner');
      await ana.rest('leaveConversation', { params: { id } });
      await gone(ana, id);
    });

    it('come by the code of an invitation, until it is revoked', async () => {
      const { ana, ben } = clients;
      const { id } = await makeGroup(people.ana, []);
      const invite = await ana.rest('createInvite', { params: { id }, body: { maxUses: 5 } });
      await ben.rest('acceptInvite', { params: { code: invite.code } });
      await held(ben, id, ({ memberCount }) => memberCount === 2);
      assert.equal((await ana.rest('listInvites', { params: { id } })).items[0]?.uses, 1);
      await ana.rest('revokeInvite', { params: { id, inviteId: invite.id } });
      await ben.members.leave(id);
      await assert.rejects(ben.rest('acceptInvite', { params: { code: invite.code } }), { code: 'not_found' });
    });

    it('are banned, and may come back once they are not', async () => {
      const { ana, ben } = clients;
      const id = await groupOf();
      await ana.rest('banMember', { params: { id, userId: people.ben.id } });
      await gone(ben, id);
      const bans = await ana.rest('listBans', { params: { id } });
      assert.deepEqual(
        bans.items.map(({ userId }) => userId),
        [people.ben.id],
      );
      await ana.rest('unbanMember', { params: { id, userId: people.ben.id } });
      await ana.rest('addMembers', { params: { id }, body: { userIds: [people.ben.id] } });
      await held(ben, id, () => true);
    });
  });

  describe('messages', () => {
    it('are edited, with their history, and deleted', async () => {
      const { ana, ben } = clients;
      const id = await groupOf();
      const { id: messageId } = await ana.send(id, { text: 'helo' }).stored;
      await ana.edit(id, messageId, { text: 'hello' });
      await held(ben, id, ({ messages }) => messages[0]?.text === 'hello');
      const { items } = await ben.rest('messageHistory', { params: { id, messageId } });
      assert.deepEqual(
        items.map(({ text }) => text),
        ['helo', 'hello'],
      );
      await ana.delete(id, messageId);
      await held(ben, id, ({ messages }) => messages[0]?.deletedAt !== null);
      assert.equal((await ben.rest('getMessage', { params: { id, messageId } })).text, null);
    });

    it('answer others, mention people and are urgent', async () => {
      const { ana, ben } = clients;
      const id = await groupOf();
      const first = await ana.send(id, { text: 'lunch?' }).stored;
      const mentions = [{ type: 'user', userId: people.ben.me.id, offset: 0, length: 4 } as const];
      const answer = await ana.send(id, { text: '@Ben now', replyTo: first.id, mentions, priority: 'urgent' }).stored;
      assert.deepEqual([answer.replyTo, answer.priority], [first.id, 'urgent']);
      const { me } = await held(ben, id, ({ lastSeq }) => lastSeq === 2);
      assert.deepEqual([me.unread, me.mentions], [2, 1]);
    });

    it('are reacted to, and it is told who did', async () => {
      const { ana, ben } = clients;
      const id = await groupOf();
      const { id: messageId } = await ana.send(id, { text: 'done' }).stored;
      await ben.react(id, messageId, '🎉');
      const { messages } = await held(ana, id, (conversation) => conversation.messages[0]?.reactions.length === 1);
      assert.deepEqual(messages[0]?.reactions, [{ emoji: '🎉', count: 1, mine: false }]);
      const { items } = await ana.rest('listReactions', { params: { id, messageId }, query: { limit: 10 } });
      assert.deepEqual(
        items.map(({ userId }) => userId),
        [people.ben.id],
      );
      await ben.react(id, messageId, '🎉', false);
      await held(ana, id, (conversation) => conversation.messages[0]?.reactions.length === 0);
    });

    it('are pinned', async () => {
      const { ana, ben } = clients;
      const id = await groupOf();
      const { id: messageId } = await ana.send(id, { text: 'the rules' }).stored;
      await ana.rest('pinMessage', { params: { id, messageId } });
      await held(ben, id, ({ messages }) => typeof messages[0]?.pinnedAt === 'string');
      assert.equal((await ben.rest('listPins', { params: { id } })).items[0]?.id, messageId);
      await ana.rest('unpinMessage', { params: { id, messageId } });
      await held(ben, id, ({ messages }) => messages[0]?.pinnedAt === null);
    });

    it('are forwarded with their origin', async () => {
      const { ana, ben } = clients;
      const [id, to] = [await groupOf(), await groupOf()];
      const { id: messageId } = await ana.send(id, { text: 'look' }).stored;
      const body = { clientId: crypto.randomUUID(), conversationId: to };
      await ana.rest('forwardMessage', { params: { id, messageId }, body });
      const { messages } = await held(ben, to, ({ lastSeq }) => lastSeq === 1);
      assert.deepEqual([messages[0]?.text, messages[0]?.forwardedFrom?.senderId], ['look', people.ana.id]);
    });

    it('stand in threads, which one follows or not, each with what is unread', async () => {
      const { ana, ben } = clients;
      const id = await groupOf();
      const { id: messageId } = await ana.send(id, { text: 'who comes?' }).stored;
      const reply = await ben.send(id, { text: 'I do', threadId: messageId }).stored;
      const { messages, me } = await held(ana, id, ({ lastSeq }) => lastSeq === reply.seq);
      assert.deepEqual([messages[0]?.thread?.replyCount, me.unread], [1, 0]);
      const threads = async () => (await ana.threads(id)).items.map(({ root, unread }) => [root.id, unread]);
      assert.deepEqual(await threads(), [[messageId, 1]]);
      const read = await ana.readThread(id, messageId, reply.seq);
      assert.deepEqual([read.following, read.unread], [true, 0]);
      await ana.followThread(id, messageId, false);
      assert.deepEqual(await threads(), []);
      const [only] = await ana.replies(id, messageId, { limit: 5 });
      assert.equal(only?.id, reply.id);
    });

    it('are begun on one device and gone on with on another', async () => {
      const { ana } = clients;
      const id = await groupOf();
      const other = await clientOf(app, people.ana);
      const told = heard(other, 'draft', ({ draft }) => draft !== null);
      await ana.rest('putDraft', { params: { id }, body: { text: 'Dear' } });
      assert.equal((await told).draft?.text, 'Dear');
      assert.equal((await other.rest('listDrafts')).items[0]?.text, 'Dear');
      const over = heard(other, 'draft', ({ draft }) => draft === null);
      await ana.rest('deleteDraft', { params: { id } });
      await over;
      await other.stop();
    });

    it('are read page by page', async () => {
      const { ana } = clients;
      const id = await groupOf();
      for (let n = 1; n <= 5; n += 1) await ana.send(id, { text: `${n}` }).stored;
      const page = async (query: Parameters<Client['history']>[1]) =>
        (await ana.history(id, query)).map(({ seq }) => seq);
      assert.deepEqual(await page({ before: 4, limit: 2 }), [2, 3]);
      assert.deepEqual(await page({ after: 4 }), [5]);
      assert.ok((await page({ around: 3, limit: 3 })).includes(3));
    });
  });

  describe('reading', () => {
    it('is told to the sender, and counted for oneself', async () => {
      const { ana, ben } = clients;
      const id = await groupOf();
      const { id: messageId, seq } = await ana.send(id, { text: 'have you read it?' }).stored;
      await held(ben, id, ({ me }) => me.unread === 1);
      const overview = await ben.rest('getUnread');
      assert.ok(overview.badge > 0 && overview.conversations.some(({ conversationId }) => conversationId === id));
      ben.markRead(id);
      await held(ana, id, ({ receipts }) => receipts.get(people.ben.me.id)?.readSeq === seq);
      const state = await ana.rest('messageReceipts', { params: { id, messageId } });
      assert.deepEqual([state.read, state.readBy], [1, [people.ben.id]]);
      await ben.markUnread(id, seq);
      assert.equal(ben.conversation(id)?.me.unreadMark, seq);
      await ben.markUnread(id, null);
      assert.equal(ben.conversation(id)?.me.unreadMark, null);
    });

    it('is not told by who does not want it', async () => {
      const { ana, ben } = clients;
      const id = await groupOf();
      await ben.rest('updateMe', { body: { privacy: { tellRead: false } } });
      const { id: messageId } = await ana.send(id, { text: 'and this?' }).stored;
      await held(ben, id, ({ me }) => me.unread === 1);
      ben.markRead(id);
      await held(ana, id, ({ receipts }) => receipts.get(people.ben.me.id)?.deliveredSeq === 1);
      assert.equal((await ana.rest('messageReceipts', { params: { id, messageId } })).read, 0);
      await ben.rest('updateMe', { body: { privacy: { tellRead: true } } });
    });

    it('calls for attention as one chooses', async () => {
      const { ben } = clients;
      const id = await groupOf();
      const mutedUntil = new Date(Date.now() + 3_600_000).toISOString();
      await ben.updateMembership(id, { mutedUntil, level: 'mentions', archived: true, pinned: true });
      const { me } = ben.conversation(id) as ClientConversation;
      assert.deepEqual([me.mutedUntil, me.level, me.archived, me.pinned], [mutedUntil, 'mentions', true, true]);
      await ben.rest('updateNotificationSettings', { body: { channels: { email: false } } });
      assert.equal((await ben.rest('getNotificationSettings')).channels.email, false);
    });
  });

  describe('people', () => {
    it('are there or not, and were last seen as they choose; and they write', async () => {
      const { ana, ben } = clients;
      const { id } = await pair(ana);
      await held(ana, id, () => true);
      const seen = async (tellLastSeen: 'everyone' | 'nobody') => {
        await ben.rest('updateMe', { body: { privacy: { tellLastSeen } } });
        await ben.setPresence('active', null);
        return (await ana.setPresence('active', id))[0]?.state;
      };
      assert.deepEqual([await seen('nobody'), await seen('everyone')], [undefined, 'active']);
      const typing = heard(ana, 'typing', ({ until }) => until !== null);
      ben.setTyping(id, true);
      assert.equal((await typing).userId, people.ben.id);
    });

    it('are blocked, and not', async () => {
      const { ana, ben } = clients;
      const { id } = await pair(ana);
      await held(ben, id, () => true);
      await ana.rest('blockUser', { params: { userId: people.ben.id } });
      await assert.rejects(ben.send(id, { text: 'hello?' }).stored, { code: 'forbidden' });
      const blocks = await ana.rest('listBlocks');
      assert.deepEqual(
        blocks.items.map(({ userId }) => userId),
        [people.ben.id],
      );
      await ana.rest('unblockUser', { params: { userId: people.ben.id } });
      assert.equal((await ben.send(id, { text: 'hello!' }).stored).text, 'hello!');
      assert.equal((await ben.rest('getUser', { params: { id: people.ana.id } })).displayName, 'Ana');
    });
  });
});
