import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import type { Conversation, Member, Message } from '../../contracts/entities/index.ts';
import { limits } from '../../contracts/limits.ts';
import { type Person, makeDirect, makeGroup, read, registerPeople, send } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { type Entrance, by, byEachDoor } from '../support/doors.ts';
import { expectProblem, expectStatus } from '../support/rest.ts';

byEachDoor('conversations and messages', (door) => {
  let app: TestApp & Entrance;
  let ana: Person;
  let bob: Person;
  let eve: Person;
  before(async () => {
    app = by(door, await startApp());
    [ana, bob, eve] = await registerPeople(app, 'Ana', 'Bob', 'Eve');
  });
  after(() => app.stop());

  const post = (person: Person, conversationId: string, body: object) =>
    person.call<{ message: Message }>('POST', `/v1/conversations/${conversationId}/messages`, body);
  const history = async (person: Person, conversationId: string, query = '') =>
    expectStatus(
      await person.call<{ items: Message[] }>('GET', `/v1/conversations/${conversationId}/messages${query}`),
      200,
    ).items;

  describe('making a conversation', () => {
    it('gives a pair one direct conversation, whoever asks and however often', async () => {
      const [one, two] = await registerPeople(app, 'One', 'Two');
      const direct = (from: Person, to: Person) =>
        from.call<Conversation>('POST', '/v1/conversations', {
          clientId: randomUUIDv7(),
          kind: 'direct',
          memberIds: [to.id],
        });
      const answers = await Promise.all([direct(one, two), direct(two, one), direct(one, two), direct(two, one)]);
      assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 201]);
    });

    it('may be with oneself', async () => {
      const notes = await makeDirect(ana, ana);
      assert.equal(notes.memberCount, 1);
      await send(ana, notes.id, 'remember the milk');
    });

    it('makes a group once for a clientId, and refuses other content under the same one', async () => {
      const body = { clientId: randomUUIDv7(), kind: 'group', title: 'Ops', memberIds: [bob.id] };
      const first = expectStatus(await ana.call<Conversation>('POST', '/v1/conversations', body), 201);
      const again = expectStatus(await ana.call<Conversation>('POST', '/v1/conversations', body), 200);
      assert.equal(again.id, first.id);
      const other = await ana.call('POST', '/v1/conversations', { ...body, title: 'Other' });
      expectProblem(other, 409, 'idempotency_conflict');
    });

    it('names a member that there is not', async () => {
      const memberIds = [bob.id, randomUUIDv7()];
      const answer = await ana.call('POST', '/v1/conversations', {
        clientId: randomUUIDv7(),
        kind: 'group',
        title: 'Ops',
        memberIds,
      });
      assert.deepEqual(expectProblem(answer, 404, 'not_found'), ['memberIds.1']);
    });

    it('shows its members with roles and watermarks, in pages', async () => {
      const group = await makeGroup(ana, [bob, eve]);
      const page = async (query: string) =>
        expectStatus(
          await bob.call<{ items: Member[]; nextCursor: string | null }>(
            'GET',
            `/v1/conversations/${group.id}/members?${query}`,
          ),
          200,
        );
      const first = await page('limit=2');
      const second = await page(`limit=2&cursor=${first.nextCursor}`);
      assert.equal(second.nextCursor, null);
      const all = [...first.items, ...second.items];
      assert.deepEqual(all.map(({ userId }) => userId).sort(), [ana.id, bob.id, eve.id].sort());
      assert.equal(all.find(({ userId }) => userId === ana.id)?.role, 'owner');
    });
  });

  describe('sending', () => {
    it('numbers messages 1, 2, 3 … and versions beside them', async () => {
      const group = await makeGroup(ana, [bob]);
      const sent = [
        await send(ana, group.id, 'one'),
        await send(bob, group.id, 'two'),
        await send(ana, group.id, 'three'),
      ];
      assert.deepEqual(
        sent.map(({ seq, version }) => [seq, version]),
        [
          [1, 2],
          [2, 3],
          [3, 4],
        ],
      );
    });

    it('stores a hundred messages at the same moment without a gap or a double', async () => {
      const group = await makeGroup(ana, [bob]);
      await Promise.all(Array.from({ length: 100 }, (_, n) => send(n % 2 === 0 ? ana : bob, group.id, `message ${n}`)));
      const items = await history(bob, group.id, '?limit=200');
      assert.deepEqual(
        items.map(({ seq }) => seq),
        Array.from({ length: 100 }, (_, n) => n + 1),
      );
      assert.equal(new Set(items.map(({ text }) => text)).size, 100);
    });

    it('answers a repeat with the first message, and stores it once, also when both come at once', async () => {
      const group = await makeGroup(ana, [bob]);
      const body = { clientId: randomUUIDv7(), text: 'once' };
      const answers = await Promise.all(Array.from({ length: 8 }, () => post(ana, group.id, body)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 200, 200, 201]);
      assert.equal(new Set(answers.map((answer) => answer.body.message.id)).size, 1);
      assert.equal((await history(ana, group.id)).length, 1);
    });

    it('answers who was removed since that their message was stored, as they sent it, and nothing else', async () => {
      const group = await makeGroup(ana, [bob]);
      const body = { clientId: randomUUIDv7(), text: 'before I went' };
      const first = expectStatus(await post(bob, group.id, body), 201).message;
      const source = await makeGroup(bob, []);
      const told = await send(bob, source.id, 'the news');
      const forward = () =>
        bob.call<{ message: Message }>('POST', `/v1/conversations/${source.id}/messages/${told.id}/forward`, {
          ...{ clientId: forwardId, conversationId: group.id },
        });
      const forwardId = randomUUIDv7();
      const forwarded = expectStatus(await forward(), 201).message;
      expectStatus(await ana.call('DELETE', `/v1/conversations/${group.id}/members/${bob.id}`), 204);
      assert.deepEqual(expectStatus(await forward(), 200).message, forwarded);
      const path = `/v1/conversations/${group.id}/messages/${first.id}`;
      expectStatus(await ana.call('PUT', `${path}/reactions/${encodeURIComponent('👋')}`), 200);
      assert.deepEqual(expectStatus(await post(bob, group.id, body), 200).message, first);
      expectProblem(await post(bob, group.id, { ...body, text: 'other' }), 404, 'not_found');
      expectStatus(await ana.call('DELETE', path), 200);
      const { text, deletedAt } = expectStatus(await post(bob, group.id, body), 200).message;
      assert.deepEqual([text, typeof deletedAt], [null, 'string'], 'a deletion is final for everybody');
      expectProblem(await post(bob, group.id, { clientId: randomUUIDv7(), text: 'new' }), 404, 'not_found');
    });

    it('refuses other content under a clientId that was used, and changes nothing', async () => {
      const group = await makeGroup(ana, [bob]);
      const clientId = randomUUIDv7();
      expectStatus(await post(ana, group.id, { clientId, text: 'first' }), 201);
      expectProblem(await post(ana, group.id, { clientId, text: 'second' }), 409, 'idempotency_conflict');
      assert.deepEqual(
        (await history(ana, group.id)).map(({ text }) => text),
        ['first'],
      );
    });

    it('lets another person, or another conversation, use the same clientId', async () => {
      const [one, two] = [await makeGroup(ana, [bob]), await makeGroup(ana, [bob])];
      const body = { clientId: randomUUIDv7(), text: 'same' };
      expectStatus(await post(ana, one.id, body), 201);
      expectStatus(await post(bob, one.id, body), 201);
      expectStatus(await post(ana, two.id, body), 201);
    });

    it('gives each of a batch its own answer: one refused message fails no neighbour', async () => {
      const group = await makeGroup(ana, [bob]);
      const used = { clientId: randomUUIDv7(), text: 'used' };
      expectStatus(await post(ana, group.id, used), 201);
      const answers = await Promise.all([
        post(ana, group.id, { clientId: randomUUIDv7(), text: 'good' }),
        post(eve, group.id, { clientId: randomUUIDv7(), text: 'stranger' }),
        post(ana, group.id, used),
        post(ana, group.id, { ...used, text: 'other' }),
        post(ana, group.id, { clientId: randomUUIDv7(), text: 'reply', replyTo: randomUUIDv7() }),
        post(bob, group.id, { clientId: randomUUIDv7(), text: 'good too' }),
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [201, 404, 200, 409, 400, 201],
      );
      assert.deepEqual(
        (await history(ana, group.id)).map(({ seq }) => seq),
        [1, 2, 3],
      );
    });

    it('keeps a reply’s target, mentions and priority', async () => {
      const group = await makeGroup(ana, [bob]);
      const first = await send(ana, group.id, 'hi @Bob');
      const mentions = [{ type: 'user', userId: bob.id, offset: 3, length: 4 }];
      const reply = await send(ana, group.id, 'hi @Bob again', { replyTo: first.id, mentions, priority: 'urgent' });
      const stored = expectStatus(
        await bob.call<Message>('GET', `/v1/conversations/${group.id}/messages/${reply.id}`),
        200,
      );
      assert.deepEqual(stored, reply);
      assert.deepEqual([stored.replyTo, stored.mentions, stored.priority], [first.id, mentions, 'urgent']);
    });

    it('takes a text of the greatest length and none beyond', async () => {
      const group = await makeGroup(ana, [bob]);
      const text = '😀'.repeat(limits.messageTextLength);
      assert.equal((await send(ana, group.id, text)).text, text);
      const answer = await post(ana, group.id, { clientId: randomUUIDv7(), text: `${text}x` });
      assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['text']);
    });

    for (const [what, text] of Object.entries({
      nothing: '',
      'only blanks': ' \n\t ',
      'zero-width signs alone': '\u200b\u2060\ufeff',
      'a null character': 'a\u0000b',
      'half a surrogate pair': 'a\ud800',
    })) {
      it(`refuses a text of ${what} and names the field`, async () => {
        const group = await makeGroup(ana, [bob]);
        const answer = await post(ana, group.id, { clientId: randomUUIDv7(), text });
        assert.ok(expectProblem(answer, 400, 'invalid_input').every((path) => path === 'text'));
      });
    }

    it('refuses mentions that overlap, in whatever order they are given, and takes neighbours', async () => {
      const group = await makeGroup(ana, [bob]);
      const at = (offset: number, length: number) => ({ type: 'user', userId: bob.id, offset, length });
      const sendWith = (mentions: object[]) =>
        post(ana, group.id, { clientId: randomUUIDv7(), text: 'abcdef', mentions });
      assert.deepEqual(expectProblem(await sendWith([at(2, 3), at(0, 3)]), 400, 'invalid_input'), ['mentions.0']);
      expectStatus(await sendWith([at(3, 3), at(0, 3)]), 201);
    });

    it('refuses a mention that lies outside the text', async () => {
      const group = await makeGroup(ana, [bob]);
      const mentions = [
        { type: 'user', userId: bob.id, offset: 0, length: 2 },
        { type: 'everyone', offset: 2, length: 2 },
      ];
      const answer = await post(ana, group.id, { clientId: randomUUIDv7(), text: 'hey', mentions });
      assert.deepEqual(expectProblem(answer, 400, 'invalid_input'), ['mentions.1']);
    });
  });

  describe('reading', () => {
    it('pages by seq, before, after and around, oldest first', async () => {
      const group = await makeGroup(ana, [bob]);
      for (let n = 1; n <= 9; n += 1) await send(ana, group.id, `message ${n}`);
      const seqs = async (query: string) => (await history(bob, group.id, query)).map(({ seq }) => seq);
      assert.deepEqual(await seqs('?limit=3'), [7, 8, 9]);
      assert.deepEqual(await seqs('?limit=3&before=7'), [4, 5, 6]);
      assert.deepEqual(await seqs('?limit=3&after=2'), [3, 4, 5]);
      assert.deepEqual(await seqs('?limit=5&around=5'), [3, 4, 5, 6, 7]);
      assert.deepEqual(await seqs('?limit=5&before=1'), []);
    });

    it('refuses two bounds at once, a limit beyond the greatest and an unknown parameter', async () => {
      const group = await makeGroup(ana, [bob]);
      const faults = async (query: string) =>
        expectProblem(await ana.call('GET', `/v1/conversations/${group.id}/messages?${query}`), 400, 'invalid_input');
      assert.deepEqual(await faults('before=1&after=2'), ['before']);
      assert.deepEqual(await faults(`limit=${limits.pageItems + 1}`), ['limit']);
      assert.deepEqual(await faults('limit=0'), ['limit']);
      assert.deepEqual(await faults('colour=red'), ['colour']);
    });

    it('counts unread from the read mark, without one’s own, and never moves it back', async () => {
      const group = await makeGroup(ana, [bob]);
      for (const text of ['one', 'two', 'three']) await send(ana, group.id, text);
      const unread = async (person: Person) =>
        expectStatus(await person.call<Conversation>('GET', `/v1/conversations/${group.id}`), 200).me.unread;
      assert.deepEqual([await unread(ana), await unread(bob)], [0, 3]);
      expectStatus(await read(bob, group.id, 2), 200);
      assert.equal(await unread(bob), 1);
      const receipt = expectStatus(await read(bob, group.id, 1), 200);
      assert.deepEqual(receipt, { conversationId: group.id, userId: bob.id, deliveredSeq: 2, readSeq: 2, cameSeq: 0 });
    });

    it('does not let a read mark run ahead of the messages', async () => {
      const group = await makeGroup(ana, [bob]);
      await send(ana, group.id, 'one');
      const receipt = expectStatus(await read(bob, group.id, 1_000_000), 200) as unknown as { readSeq: number };
      assert.equal(receipt.readSeq, 1);
    });

    it('lists conversations by their last activity, in pages that hold while it changes', async () => {
      const [reader, writer] = await registerPeople(app, 'Reader', 'Writer');
      const groups: Conversation[] = [];
      for (const title of ['a', 'b', 'c', 'd']) groups.push(await makeGroup(writer, [reader], title));
      await send(writer, groups[0]?.id ?? '', 'newest');
      const page = async (query: string) =>
        expectStatus(
          await reader.call<{ items: Conversation[]; nextCursor: string | null }>('GET', `/v1/conversations?${query}`),
          200,
        );
      const first = await page('limit=2');
      assert.deepEqual(
        first.items.map(({ title }) => title),
        ['a', 'd'],
      );
      assert.equal(first.items[0]?.lastMessage?.text, 'newest');
      // Moves to the top while the reader pages, and comes again: nobody knows that they have seen it already.
      await send(writer, groups[3]?.id ?? '', 'moved up');
      const second = await page(`limit=2&cursor=${first.nextCursor}`);
      assert.deepEqual(
        second.items.map(({ title }) => title),
        ['c', 'b'],
      );
      const again: Conversation[] = [];
      for (let cursor = second.nextCursor; cursor !== null; ) {
        const { items, nextCursor } = await page(`limit=2&cursor=${cursor}`);
        again.push(...items);
        cursor = nextCursor;
      }
      assert.equal(again.at(-1)?.lastMessage?.text, 'moved up');
    });

    it('tells all on one page where they fit, and no more', async () => {
      const [reader, writer] = await registerPeople(app, 'Reader', 'Writer');
      await makeGroup(writer, [reader]);
      const { nextCursor } = expectStatus(
        await reader.call<{ nextCursor: string | null }>('GET', '/v1/conversations?limit=2'),
        200,
      );
      assert.equal(nextCursor, null);
    });

    /** Every page to the end; between two of them something happens. */
    const pageThrough = async (reader: Person, limit: number, between: (nth: number) => Promise<unknown>) => {
      const seen: Conversation[] = [];
      for (let [cursor, nth] = ['', 1]; ; nth += 1) {
        const query = cursor === '' ? `limit=${limit}` : `limit=${limit}&cursor=${cursor}`;
        const { items, nextCursor } = expectStatus(
          await reader.call<{ items: Conversation[]; nextCursor: string | null }>('GET', `/v1/conversations?${query}`),
          200,
        );
        seen.push(...items);
        if (nextCursor === null) return seen;
        cursor = nextCursor;
        await between(nth);
      }
    };

    it('when conversations move up, come in or are left between two pages, then each is listed that is to be, and as it is', async () => {
      const [reader, writer] = await registerPeople(app, 'Reader', 'Writer');
      const groups: Conversation[] = [];
      for (const title of ['a', 'b', 'c', 'd', 'e', 'f']) groups.push(await makeGroup(writer, [reader], title));
      const [a, b, c] = groups.map(({ id }): string => id) as [string, string, string, ...string[]];
      const late = await makeGroup(writer, [], 'late');
      const seen = await pageThrough(reader, 2, async (nth) => {
        // Two that were not told yet go past the place, and one goes past the place of those.
        if (nth === 1) for (const id of [a, b]) await send(writer, id, 'moved');
        if (nth === 2) await writer.call('POST', `/v1/conversations/${late.id}/members`, { userIds: [reader.id] });
        if (nth === 2) expectStatus(await writer.call('DELETE', `/v1/conversations/${c}/members/${reader.id}`), 204);
        if (nth === 3) await send(writer, a, 'moved again');
      });
      const latest = new Map(seen.map((conversation) => [conversation.title, conversation.lastMessage?.text]));
      assert.deepEqual([...latest.keys()].filter((title) => title !== 'c').sort(), ['a', 'b', 'd', 'e', 'f', 'late']);
      assert.deepEqual([latest.get('a'), latest.get('b')], ['moved again', 'moved']);
    });

    it('when a send that began before the first page commits after it, then its conversation is listed all the same', async () => {
      const [reader, writer] = await registerPeople(app, 'Reader', 'Writer');
      const low = await makeGroup(writer, [reader], 'low');
      for (const title of ['a', 'b', 'c']) await makeGroup(writer, [reader], title);
      const open = new pg.Client(app.database.url);
      await open.connect();
      await open.query('begin');
      // By its time it stands below those that come now, where the first page ends.
      await open.query('update conversations set last_active_at = now() where id = $1', [low.id]);
      for (const title of ['d', 'e']) await makeGroup(writer, [reader], title);
      const seen = await pageThrough(reader, 3, (nth) => (nth === 1 ? open.query('commit') : Promise.resolve()));
      await open.end();
      assert.ok(seen.some(({ id }) => id === low.id));
    });

    it('lists every conversation, also those that moved in the same moment', async () => {
      const [one, other] = await registerPeople(app, 'One', 'Other');
      const groups = [];
      for (let n = 0; n < 6; n += 1) groups.push(await makeGroup(one, [other], `group ${n}`));
      await Promise.all(groups.map(({ id }) => send(one, id, 'all at once')));
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const query: string = cursor === '' ? 'limit=2' : `limit=2&cursor=${cursor}`;
        const page: { items: Conversation[]; nextCursor: string | null } = expectStatus(
          await other.call('GET', `/v1/conversations?${query}`),
          200,
        ) as never;
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor;
      }
      // What ran elsewhere in that moment may have one told twice.
      assert.deepEqual([...new Set(seen)].sort(), groups.map(({ id }) => id as string).sort());
    });

    it('takes no cursor of another list of the same kind', async () => {
      const [one, two] = [await makeGroup(ana, [bob]), await makeGroup(ana, [bob])];
      const members = (id: string, query: string) =>
        ana.call<{ nextCursor: string }>('GET', `/v1/conversations/${id}/members?limit=1${query}`);
      const { nextCursor } = expectStatus(await members(one.id, ''), 200);
      expectStatus(await members(one.id, `&cursor=${nextCursor}`), 200);
      const answer = await members(two.id, `&cursor=${nextCursor}`);
      assert.deepEqual(expectProblem(answer as never, 400, 'invalid_input'), ['cursor']);
    });

    it('counts unread up to a limit', async () => {
      const group = await makeGroup(ana, [bob]);
      await app.database.run(`
        insert into messages (conversation_id, seq, version, changed_version, id, client_id, sender_id, text, fingerprint, created_at)
        select '${group.id}', n, n + 1, n + 1, gen_random_uuid(), gen_random_uuid(), '${ana.id}', 'x', '', now()
        from generate_series(1, ${limits.unreadCounted + 1}) n`);
      await app.database.run(
        `update conversations set last_seq = ${limits.unreadCounted + 1} where id = '${group.id}'`,
      );
      const unread = async () =>
        expectStatus(await bob.call<Conversation>('GET', `/v1/conversations/${group.id}`), 200).me.unread;
      assert.equal(await unread(), limits.unreadCounted);
      await read(bob, group.id, 2);
      assert.equal(await unread(), limits.unreadCounted - 1);
    });

    it('refuses a cursor that was tampered with or belongs to another list', async () => {
      const cursor = Buffer.from('12345678["2026-01-01T00:00:00.000Z","x"]').toString('base64url');
      assert.deepEqual(
        expectProblem(await ana.call('GET', `/v1/conversations?cursor=${cursor}`), 400, 'invalid_input'),
        ['cursor'],
      );
    });
  });

  describe('strangers', () => {
    it('see nothing, and cannot tell a conversation that is not theirs from one that is not there', async () => {
      const group = await makeGroup(ana, [bob]);
      const message = await send(ana, group.id, 'private');
      const calls: [string, string, object?][] = [
        ['GET', ''],
        ['GET', '/members'],
        ['GET', '/messages'],
        ['GET', `/messages/${message.id}`],
        ['GET', '/events?after=0'],
        ['POST', '/messages', { clientId: randomUUIDv7(), text: 'let me in' }],
        ['PUT', '/receipts', { readSeq: 1 }],
        ['PATCH', '/me', { level: 'nothing' }],
      ];
      for (const [method, path, body] of calls) {
        const theirs = await eve.call(method, `/v1/conversations/${group.id}${path}`, body);
        const nobodys = await eve.call(method, `/v1/conversations/${randomUUIDv7()}${path}`, body);
        expectProblem(theirs, 404, 'not_found');
        const same = ({ body: problem }: { body: object }) => ({ ...problem, requestId: '' });
        assert.deepEqual(same(theirs), same(nobodys), `${method} ${path}`);
      }
    });
  });
});
