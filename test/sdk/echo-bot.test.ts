import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeDirect, password, registerPeople } from '../factories/person.ts';
import { type TestApp, startApp } from '../setup/app.ts';
import { clientOf, heard } from '../support/client.ts';

const file = fileURLToPath(new URL('../../docs/examples/echo-bot.ts', import.meta.url));

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
    const [ana, echo] = await registerPeople(app, 'Ana', 'Echo');
    const bot = spawn(process.execPath, [file, app.url, echo.email], {
      env: { ...process.env, HOMING_PASSWORD: password },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [said] = (await once(bot.stdout, 'data')) as [Buffer];
      assert.equal(said.toString(), 'Echo is listening.\n');
      const direct = await makeDirect(ana, echo);
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
      const { me } = (await echo.call<{ me: { unread: number } }>('GET', `/v1/conversations/${direct.id}`)).body;
      assert.equal(me.unread, 0);
    } finally {
      bot.kill('SIGKILL');
    }
  });
});
