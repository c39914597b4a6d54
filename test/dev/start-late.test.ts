import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { cacheFolder } from '../../dev/services/context.ts';
import { obtainS3 } from '../../dev/services/index.ts';
import { pins } from '../../dev/services/pins.ts';
import { withLock } from '../../scripts/lock.mjs';
import { readRunFile, runDev, type Started, stateOfOwnPorts } from './started.ts';
import { removeTempFolders, tempFolder, until } from './support.ts';

const entry = `versitygw-${pins.versitygw.version}`;

describe('npm start where the object store is not to be had yet', function () {
  this.timeout(180_000);
  let state: string;
  let cache: string;
  let program: string;
  const started: Started[] = [];
  const run = (script: string, ...args: string[]) => {
    const env = { HOMING_CACHE: cache, PATH: pathWithout('versitygw'), HOMING_LADDER: 'push=2s email=3m' };
    const one = runDev(script, ['--state', state, ...args], env);
    started.push(one);
    return one;
  };

  before(async () => {
    program = (await obtainS3()).path;
    [state, cache] = [await stateOfOwnPorts(), tempFolder()];
    const usual = cacheFolder(process.env);
    const others = existsSync(usual) ? readdirSync(usual).filter((name) => !name.startsWith('versitygw')) : [];
    for (const name of others) symlinkSync(join(usual, name), join(cache, name));
  });
  after(async () => {
    for (const { child } of started) child.kill('SIGTERM');
    await Promise.all(started.map(({ ended }) => ended));
    removeTempFolders();
  });

  it('serves without it, lets the demo wait while it starts, and tells when it comes', async () => {
    const starting = run('start.ts');
    const demo = await withLock(join(cache, `${entry}.lock`), async () => {
      await until(() => existsSync(join(state, 'run.json')));
      const waiting = run('demo.ts');
      await waiting.saying('Homing is starting');
      await starting.up();
      assert.match(starting.said(), /S3 +being made ready/);
      assert.match(starting.said(), new RegExp(`npm run demo -- --state ${state}`));
      assert.match(starting.said(), /push after 2 s, mail after 3 min, SMS after 30 min/);
      const { api, objectStore } = readRunFile(state);
      assert.equal(objectStore, 'coming');
      assert.equal((await fetch(`${api}/readyz`)).status, 200);
      mkdirSync(join(cache, entry));
      symlinkSync(program, join(cache, entry, 'versitygw'));
      return waiting;
    });
    await demo.saying('Three people');
    await until(() => readRunFile(state).objectStore === 'up');
    assert.match(starting.said(), /s3 +up/);
    await hasBucket(starting);
  });

  const hasBucket = async (starting: Started) => {
    const { s3: endpoint = '' } = readRunFile(state);
    const secrets = JSON.parse(readFileSync(join(state, 'secrets.json'), 'utf8')) as Record<string, string>;
    const credentials = { accessKeyId: secrets.s3AccessKeyId ?? '', secretAccessKey: secrets.s3SecretAccessKey ?? '' };
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
    await client.send(new HeadBucketCommand({ Bucket: 'homing' }));
    client.destroy();
    assert.equal(starting.child.exitCode, null);
  };
});

describe('the demo', () => {
  after(removeTempFolders);

  it('says what to start where nothing runs, and what it does not understand', async () => {
    const state = tempFolder();
    const nothing = runDev('demo.ts', ['--state', state]);
    assert.deepEqual(await nothing.ended, [1, null]);
    assert.match(nothing.said(), new RegExp(`Nothing is running in ${state}[^]*npm start -- --state ${state}`));
    const wrong = runDev('demo.ts', ['--stat', state]);
    assert.deepEqual(await wrong.ended, [2, null]);
    assert.match(wrong.said(), /--state DIR/);
  });
});

function pathWithout(program: string): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.filter((folder) => !existsSync(join(folder, program))).join(delimiter);
}
