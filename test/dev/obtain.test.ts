import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { contextOf, obtainRedis, Unobtainable } from '../../dev/services/index.ts';
import { obtain, type Wanted } from '../../dev/services/obtain.ts';
import { removeTempFolders, tempFolder } from './support.ts';

describe('finding a program', () => {
  after(removeTempFolders);

  const writes = (text: string) => async (folder: string) => writeFileSync(join(folder, 'program'), text);
  const wanted = (more: Partial<Wanted> = {}): Wanted => ({
    ...{ name: 'Thing', entry: 'thing-1', binary: 'program', cache: tempFolder(), remedy: 'apt-get install thing' },
    onMachine: async () => undefined,
    ways: [{ name: 'a way', fill: writes('filled') }],
    ...more,
  });

  it('takes what is on the machine first, then the cache, then the ways in turn', async () => {
    const one = wanted();
    assert.equal((await obtain(one, contextOf())).from, 'a way');
    assert.equal((await obtain(one, contextOf())).from, 'the cache');
    const installed = { ...one, onMachine: async () => '/usr/bin/thing' };
    assert.deepEqual(await obtain(installed, contextOf()), { path: '/usr/bin/thing', from: 'this machine' });
  });

  it('looks on the machine again after a way that installs there', async () => {
    let path: string | undefined;
    const install = async () => {
      path = '/usr/bin/thing';
    };
    const found = await obtain(wanted({ onMachine: async () => path, ways: [{ name: 'apt', install }] }), contextOf());
    assert.deepEqual(found, { path: '/usr/bin/thing', from: 'apt' });
  });

  it('fills once when several ask at the same time', async () => {
    let fills = 0;
    const told: string[] = [];
    const bothWait = Promise.withResolvers<void>();
    const report = (line: string) => {
      told.push(line);
      if (told.filter((one) => one.includes('waiting for process')).length === 2) bothWait.resolve();
    };
    const fill = async (folder: string) => {
      fills += 1;
      await bothWait.promise;
      await writes('slowly')(folder);
    };
    const one = wanted({ ways: [{ name: 'a slow way', fill }] });
    const found = await Promise.all([1, 2, 3].map(() => obtain(one, contextOf({ report }))));
    assert.equal(fills, 1);
    assert.equal(new Set(found.map(({ path }) => path)).size, 1);
  });

  it('never takes half a result: neither of a way that failed, nor of a process that was killed', async () => {
    const cache = tempFolder();
    mkdirSync(join(cache, '.thing-1.part'));
    writeFileSync(join(cache, '.thing-1.part', 'left'), 'by a killed process');
    const fails = async (folder: string) => {
      await writes('half')(folder);
      throw new Error('the line broke');
    };
    const ways = [
      { name: 'one', fill: fails },
      { name: 'two', fill: async (folder: string) => writeFileSync(join(folder, 'other'), '') },
      { name: 'three', fill: writes('whole') },
    ];
    const { path } = await obtain(wanted({ cache, ways }), contextOf());
    assert.equal(readFileSync(path, 'utf8'), 'whole');
  });

  it('says what was tried and what helps when no way leads there', async () => {
    const ways = [
      { name: 'one', fill: () => Promise.reject(new Error('no network')) },
      { name: 'two', install: () => Promise.reject(new Error('not root')) },
    ];
    await assert.rejects(obtain(wanted({ ways }), contextOf()), (error: Error) => {
      assert.ok(error instanceof Unobtainable);
      assert.match(error.message, /one: no network[^]*two: not root[^]*Remedy: apt-get install thing/);
      return true;
    });
  });

  it('stops at once when it is told to', async () => {
    const stop = new AbortController();
    const fill = async () => {
      stop.abort(new Error('stopping'));
      throw new Error('interrupted');
    };
    const never = { name: 'never', fill: () => Promise.reject(new Error('must not be tried')) };
    await assert.rejects(obtain(wanted({ ways: [{ name: 'a', fill }, never] }), contextOf({ signal: stop.signal })), {
      message: 'stopping',
    });
  });

  it('passes over a program that is too old', async () => {
    const [old, fit] = [tempFolder(), tempFolder()];
    program(old, 'redis-server', 'Redis server v=6.0.16 sha=0');
    program(fit, 'redis-server', 'Redis server v=7.4.1 sha=0');
    const env = { ...process.env, PATH: [old, fit, process.env.PATH].join(delimiter), HOMING_CACHE: tempFolder() };
    assert.equal((await obtainRedis({ env })).path, join(fit, 'redis-server'));
  });
});

function program(folder: string, name: string, says: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\necho "${says}"\n`, { mode: 0o755 });
}
