import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { createCodec } from '../../temporal/codec.ts';
import { serveCodec } from '../../temporal/codec-server.ts';

const key = (kid: string) => ({ kid, key: randomBytes(32).toString('base64') });
const payload = (value: unknown) => defaultPayloadConverter.toPayload(value);
const log = { info() {}, warn() {}, error() {} };

describe('the payload codec', () => {
  it('hides a payload and gives it back', async () => {
    const codec = createCodec([key('one')]);
    const secret = payload({ userId: 'canary' });
    const [hidden] = await codec.encode([secret]);
    assert.ok(hidden && !Buffer.from(hidden.data ?? []).includes('canary'));
    assert.equal(Buffer.from(hidden.metadata?.['encryption-key-id'] ?? []).toString(), 'one');
    const [shown] = await codec.decode([hidden]);
    assert.deepEqual(defaultPayloadConverter.fromPayload(shown as never), { userId: 'canary' });
  });

  it('hides equal payloads differently', async () => {
    const codec = createCodec([key('one')]);
    const [a, b] = await codec.encode([payload('same'), payload('same')]);
    assert.notDeepEqual(a?.data, b?.data);
  });

  it('reads what an older key has hidden, as long as it is in the ring', async () => {
    const [older, newer] = [key('older'), key('newer')];
    const hidden = await createCodec([older]).encode([payload(1)]);
    const rotated = createCodec([newer, older]);
    assert.equal(defaultPayloadConverter.fromPayload((await rotated.decode(hidden))[0] as never), 1);
    await assert.rejects(createCodec([newer]).decode(hidden), /key older, which is not in the ring/);
  });

  it('refuses a payload that was changed, also in its key id', async () => {
    const ring = [key('one'), key('two')];
    const codec = createCodec(ring);
    const [hidden] = await codec.encode([payload(1)]);
    const data = Buffer.from(hidden?.data ?? []);
    data[data.length - 20] = (data[data.length - 20] ?? 0) ^ 1;
    await assert.rejects(codec.decode([{ ...hidden, data }]));
    await assert.rejects(
      codec.decode([{ ...hidden, metadata: { ...hidden?.metadata, 'encryption-key-id': Buffer.from('two') } }]),
    );
  });

  it('passes on what is not encrypted', async () => {
    const plain = payload('plain');
    assert.deepEqual(await createCodec([key('one')]).decode([plain]), [plain]);
  });
});

describe('the codec endpoint', () => {
  const keys = [key('one')];
  const ui = 'http://temporal-ui.test:8233';
  const serve = async (token: string | undefined, use: (url: string) => Promise<void>) => {
    const server = await serveCodec({ host: '127.0.0.1', port: 0, keys, uiUrl: ui, token, log });
    const { port } = server.address() as { port: number };
    try {
      await use(`http://127.0.0.1:${port}`);
    } finally {
      server.close();
    }
  };
  const ask = (url: string, headers: Record<string, string> = {}, body: unknown = { payloads: [] }) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  it('shows the Temporal UI what is hidden, and hides what it writes', async () => {
    await serve(undefined, async (url) => {
      const data = Buffer.from('"hello"').toString('base64');
      const metadata = { encoding: Buffer.from('json/plain').toString('base64') };
      const hidden = (await (
        await ask(`${url}/encode`, { origin: ui }, { payloads: [{ metadata, data }] })
      ).json()) as { payloads: { data: string }[] };
      assert.notEqual(hidden.payloads[0]?.data, data);
      // As the UI asks: with the namespace in the query.
      const shown = await ask(`${url}/decode?namespace=homing`, { origin: ui }, hidden);
      assert.equal(shown.headers.get('access-control-allow-origin'), ui);
      assert.deepEqual(await shown.json(), { payloads: [{ metadata, data }] });
    });
  });

  it('answers no other origin', async () => {
    await serve(undefined, async (url) =>
      assert.equal((await ask(`${url}/decode`, { origin: 'http://evil.test' })).status, 403),
    );
  });

  it('asks for its token where one is set', async () => {
    const token = 'a token of more than thirty-two characters';
    await serve(token, async (url) => {
      assert.equal((await ask(`${url}/decode`)).status, 401);
      assert.equal((await ask(`${url}/decode`, { authorization: 'Bearer wrong' })).status, 401);
      assert.equal((await ask(`${url}/decode`, { authorization: `Bearer ${token}` })).status, 200);
    });
  });

  it('goes on after nonsense', async () => {
    await serve(undefined, async (url) => {
      assert.equal((await ask(`${url}/decode`, {}, { payloads: 'none' })).status, 400);
      assert.equal((await fetch(`${url}/decode`, { method: 'POST', body: '{' })).status, 400);
      assert.equal((await fetch(`${url}/else`)).status, 404);
      assert.equal((await ask(`${url}/decode`)).status, 200);
    });
  });
});
