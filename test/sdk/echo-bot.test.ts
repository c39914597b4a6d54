import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Bot, Conversation, TokenMade } from '../../contracts/entities/index.ts';
import { registerPerson } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, heard } from '../support/client.ts';
import { call, expectStatus } from '../support/rest.ts';

const file = fileURLToPath(new URL('../../docs/examples/echo-bot.ts', import.meta.url));

type BotMade = { bot: Bot } & TokenMade;
/** What the page says that one needs. */
const scopes = ['messages:read', 'messages:write', 'conversations:read', 'profile:read', 'receipts:write'];

describe('the echo bot', () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app.stop());

  it('has at most twenty lines', () => {
    assert.ok(readFileSync(file, 'utf8').trimEnd().split('\n').length <= 20);
  });

  it('when somebody writes to it, then it says the same, and has read it', async () => {
    const ana = await registerPerson(app, 'Ana');
    const made = { displayName: 'Echo', token: { name: 'First', scopes } };
    const { bot: echo, token } = expectStatus(await ana.call<BotMade>('POST', '/v1/bots', made), 201);
    const bot = spawn(process.execPath, [file, app.url], {
      env: { ...process.env, HOMING_TOKEN: token },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [said] = (await once(bot.stdout, 'data')) as [Buffer];
      assert.equal(said.toString(), 'Echo is listening.\n');
      const body = { clientId: randomUUIDv7(), kind: 'direct', memberIds: [echo.id] };
      const direct = expectStatus(await ana.call<Conversation>('POST', '/v1/conversations', body), 201);
      const client = await clientOf(app, ana);
      for (const text of ['hello', 'is anybody there?']) {
        const answer = heard(client, 'message', ({ message }) => message.senderId === echo.id);
        const { id } = await client.send(direct.id, { text }).stored;
        const { message } = await answer;
        assert.deepEqual([message.text, message.replyTo], [text, id]);
      }
      const ended = once(bot, 'exit');
      bot.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
      await client.stop();
      const path = `/v1/conversations/${direct.id}`;
      const { me } = (await call<{ me: { unread: number } }>(app.url, 'GET', path, { token })).body;
      assert.equal(me.unread, 0);
    } finally {
      bot.kill('SIGKILL');
    }
  });
});
