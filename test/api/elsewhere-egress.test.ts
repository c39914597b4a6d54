import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Browser, type Elsewhere, comeBack, somebody, startElsewhere } from '../support/elsewhere.ts';
import { type Sentinels, startSentinels } from '../support/sentinels.ts';

/** What a provider says of itself names the addresses that it is asked at: it must not send us anywhere inside. */
describe('a provider that names addresses inside', () => {
  let place: Elsewhere;
  let sentinels: Sentinels;
  before(async () => {
    sentinels = await startSentinels((_request, response) => void response.setHeader('connection', 'close').end('{}'));
    // The provider itself stands at an address that the operator has named, and nothing else does.
    place = await startElsewhere({ env: { HOMING_EGRESS_ALLOW: '127.0.0.1/32' } });
  });
  beforeEach(() => sentinels.clear());
  after(async () => {
    await place.stop();
    sentinels.stop();
  });

  /** The provider's own document, but for one address. */
  const naming = (field: string) => async (request: IncomingMessage, response: ServerResponse) => {
    const own = request.headers['x-own'] === 'yes';
    if (own || !request.url?.endsWith('/.well-known/openid-configuration')) return false;
    const url = `http://${request.headers.host}${request.url}`;
    const document = (await (await fetch(url, { headers: { 'x-own': 'yes' } })).json()) as Record<string, unknown>;
    const changed = { ...document, [field]: `http://127.0.0.2:${sentinels.port}/` };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(changed));
    return true;
  };

  // Each of its own, for what a provider says of itself is asked for once.
  const fields = [
    ['corp', 'token_endpoint'],
    ['rival', 'jwks_uri'],
  ] as const;
  for (const [provider, field] of fields)
    it(`when it is its ${field}, then nobody is asked there`, async () => {
      place.interfere(naming(field));
      const back = await comeBack(place, somebody(), { provider });
      assert.deepEqual([back.error, back.code], ['unavailable', undefined]);
      assert.deepEqual([...sentinels.hits], []);
    });

  it('when it sends us on, then nobody is asked there', async () => {
    place.interfere((request, response) => {
      if (!request.url?.includes('/form/')) return false;
      response.writeHead(302, { location: `http://127.0.0.2:${sentinels.port}/` }).end();
      return true;
    });
    await new Browser().go(`${place.app.url}/v1/auth/oauth/by-form`);
    assert.deepEqual([...sentinels.hits], []);
  });
});
