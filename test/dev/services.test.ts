import assert from 'node:assert/strict';
import { chmodSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import * as services from '../../dev/services/index.ts';
import { isRunning, removeTempFolders, tempFolder } from './support.ts';

describe('services of one’s own', function () {
  this.timeout(120_000);
  after(removeTempFolders);

  it('Redis is killed, is gone, and comes back on the same port with what it kept', async () => {
    const dir = tempFolder();
    const options = {
      ...{ program: await services.obtainRedis(), dir, port: await services.freePort(), persist: true },
      logFile: join(dir, 'redis.log'),
    };
    const first = await services.startRedis(options);
    first.kill('SIGKILL');
    assert.equal((await first.exited).signal, 'SIGKILL');
    await assert.rejects(services.pingRedis(first.url));
    const second = await services.startRedis(options);
    await services.pingRedis(second.url);
    await second.stop();
    assert.equal(isRunning(second.pid), false);
  });

  it('PostgreSQL is killed and comes back on the same data, also where its account cannot go', async () => {
    const dir = tempFolder();
    // As a home often is. Where we are root, the account that PostgreSQL runs as cannot go there.
    chmodSync(dir, 0o700);
    const options = {
      ...{ program: await services.obtainPostgres(), port: await services.freePort(), password: 'p/w @ü' },
      ...{ dir: join(dir, 'postgres'), logFile: join(dir, 'postgres.log') },
    };
    const first = await services.startPostgres(options);
    await query(first.url, 'create table kept as select 42 as n');
    first.kill('SIGKILL');
    await first.exited;
    const second = await services.startPostgres(options);
    assert.deepEqual(await query(second.url, 'select n from kept'), [{ n: 42 }]);
    await second.stop();
    assert.equal(isRunning(second.pid), false);
    assert.equal(existsSync(join(second.dataFolder, 'postmaster.pid')), false, 'it was not stopped in order');
    services.removeFolder(options.dir);
    assert.deepEqual(existing([options.dir, second.dataFolder]), []);
    // Whose name is made up of the folder that was wanted, so that it is found again: it is of no use to anybody else.
    if (second.dataFolder !== options.dir) assert.deepEqual(existing([dirname(second.dataFolder)]), []);
  });

  it('PostgreSQL asks for the password', async () => {
    const dir = tempFolder();
    const running = await services.startPostgres({
      ...{
        program: await services.obtainPostgres(),
        port: await services.freePort(),
        password: 'right',
        throwAway: true,
      },
      ...{ dir: join(dir, 'postgres'), logFile: join(dir, 'postgres.log') },
    });
    const wrong = running.url.replace('right', 'wrong');
    await assert.rejects(query(wrong, 'select 1'), { code: '28P01' });
    await running.stop();
  });

  it('one that does not come up is told with the end of its log, and leaves nothing', async () => {
    const dir = tempFolder();
    const program = { path: process.execPath, from: 'a program that is no Redis' };
    await assert.rejects(
      services.startRedis({ program, dir, port: await services.freePort(), logFile: join(dir, 'redis.log') }),
      { message: /redis ended while starting[^]*bad option: --bind/ },
    );
  });
});

const existing = (paths: string[]) => paths.filter((path) => existsSync(path));

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}
