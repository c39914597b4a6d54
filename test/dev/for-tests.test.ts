import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { elasticsearchForTests, type ServiceStatus, wantedFile, writeStatus } from '../../dev/services/for-tests.ts';
import { removeTempFolders, tempFolder } from './support.ts';

describe('the engine that is brought up beside the run', () => {
  after(removeTempFolders);

  const run = (status: ServiceStatus) => {
    const dir = tempFolder();
    const statusFile = join(dir, 'elasticsearch.json');
    writeStatus(statusFile, status);
    writeFileSync(join(dir, 'services.json'), JSON.stringify({ elasticsearch: { statusFile } }));
    return { statusFile, env: { HOMING_TEST_SERVICES: join(dir, 'services.json') } };
  };

  it('is waited for by the suite that needs it, which thereby asks for it', async () => {
    const { statusFile, env } = run({ state: 'starting' });
    const waiting = elasticsearchForTests(env);
    assert.ok(existsSync(wantedFile(statusFile)));
    writeStatus(statusFile, { state: 'up', url: 'http://127.0.0.1:9200' });
    assert.equal(await waiting, 'http://127.0.0.1:9200');
  });

  it('fails that suite with the remedy where it cannot be had', async () => {
    const { env } = run({ state: 'failed', remedy: 'install a JDK' });
    await assert.rejects(elasticsearchForTests(env), { message: /Elasticsearch was not run\. install a JDK/ });
  });

  it('is nothing where the person leaves it out', async () => {
    assert.equal(await elasticsearchForTests(run({ state: 'left out' }).env), undefined);
  });
});
