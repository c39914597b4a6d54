import assert from 'node:assert/strict';
import { Client } from '@elastic/elasticsearch';
import { elasticsearchForTests } from '../../dev/services/for-tests.ts';

describe('Elasticsearch', () => {
  it('starts, and answers the official client: stores a document and finds it', async function () {
    // On a machine that never had it, it is fetched first.
    this.timeout(0);
    const node = await elasticsearchForTests();
    assert.ok(node, 'it was left out by HOMING_WITHOUT=elasticsearch');
    const client = new Client({ node });
    const { version } = await client.info();
    assert.match(version.number, /^\d+\./);
    await client.index({ index: 'messages', id: '1', document: { text: 'the quick brown fox' }, refresh: true });
    const { hits } = await client.search({ index: 'messages', query: { match: { text: 'fox' } } });
    assert.deepEqual(
      hits.hits.map(({ _id: id }) => id),
      ['1'],
    );
    await client.indices.delete({ index: 'messages' });
    await client.close();
  });
});
