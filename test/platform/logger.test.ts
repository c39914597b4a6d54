import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import winston from 'winston';
import { createLogger } from '../../platform/logger.ts';

/** What a logger writes for one call. */
async function written(log: (logger: winston.Logger) => void, readable = false): Promise<string> {
  const logger = createLogger({ readable, level: 'info', role: 'test' });
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  logger.clear().add(new winston.transports.Stream({ stream }));
  log(logger);
  const finished = new Promise((resolve) => logger.on('finish', resolve));
  logger.end();
  await finished;
  return text;
}

/** Things that must never stand in a log, in the places where careless code would put them. */
const canaries = {
  token: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl',
  address: 'canary@example.test',
  number: '+4915112345678',
  text: 'canary: meet me at noon',
  key: 'SG.canary-key.abcdefgh',
  password: 'canary correct horse',
};

describe('the log', () => {
  it('is one JSON object a line, with time, level, role and fields', async () => {
    const line = JSON.parse(
      await written((logger) => logger.info('request', { operation: 'getMe', status: 200 })),
    ) as Record<string, unknown>;
    assert.deepEqual(
      [line.level, line.role, line.message, line.operation, line.status],
      ['info', 'test', 'request', 'getMe', 200],
    );
    assert.match(String(line.timestamp), /^\d{4}-/);
  });

  it('is a readable line in development', async () => {
    assert.match(
      await written((logger) => logger.warn('careful', { n: 1 }), true),
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}test careful \{"n":1\}\n$/,
    );
  });

  it('keeps what is useful: ids, codes and counts', async () => {
    const line = await written((logger) =>
      logger.info('x', { userId: '0190a000-0000-7000-8000-000000000000', code: 'not_found', ms: 1.5 }),
    );
    for (const kept of ['0190a000-0000-7000-8000-000000000000', 'not_found', '1.5'])
      assert.ok(line.includes(kept), kept);
  });

  const places: Record<string, (logger: winston.Logger) => void> = {
    'fields with telling names': (logger) =>
      logger.info('x', {
        accessToken: canaries.token,
        to: canaries.address,
        phone: canaries.number,
        text: canaries.text,
        apiKey: canaries.key,
        password: canaries.password,
      }),
    'nested fields': (logger) =>
      logger.info('x', {
        request: { body: canaries.text, headers: { authorization: `Bearer ${canaries.token}` } },
        list: [{ email: canaries.address }],
      }),
    'an error’s message and cause': (logger) =>
      logger.error('x', {
        error: new Error(`could not reach ${canaries.address} at ${canaries.number} with ${canaries.key}`, {
          cause: new Error(`Bearer ${canaries.token}`),
        }),
      }),
    'what a library hangs on its error': (logger) =>
      logger.error('x', {
        error: Object.assign(new Error('request failed'), {
          config: { auth: { password: canaries.password }, data: canaries.text },
          response: { headers: { authorization: canaries.key } },
        }),
      }),
    'free text in an innocent field': (logger) =>
      logger.info('x', { reason: `connect to postgres://app:${'canary-pw'}@db failed for ${canaries.address}` }),
  };
  for (const [place, log] of Object.entries(places)) {
    for (const readable of [false, true]) {
      it(`holds nothing personal or secret from ${place}${readable ? ', readable too' : ''}`, async () => {
        const line = await written(log, readable);
        assert.ok(line.length > 10, 'something was written');
        for (const canary of [...Object.values(canaries), 'canary-pw'])
          assert.ok(!line.includes(canary), `${canary} in ${line}`);
      });
    }
  }
});
