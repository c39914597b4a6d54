import assert from 'node:assert/strict';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { type ClientStorage, type HomingError, indexedDbStorage, memoryStorage } from '../../sdk/index.ts';
import type { IndexedDb } from '../../sdk/storage/indexed-db.ts';

const factory = () => new IDBFactory() as unknown as IndexedDb;
const storages: Record<string, () => ClientStorage> = {
  memory: memoryStorage,
  IndexedDB: () => indexedDbStorage({ indexedDB: factory(), IDBKeyRange }),
};

for (const [name, create] of Object.entries(storages)) {
  describe(`the storage in ${name}`, () => {
    it('when nothing was set, then there is nothing', async () => {
      const storage = create();
      assert.equal(await storage.get('a'), undefined);
      assert.deepEqual(await storage.entries(''), []);
      await storage.delete('a');
    });

    it('when a value is set again, then the last one is there; deleted, none', async () => {
      const storage = create();
      await storage.set('a', { n: 1 });
      await storage.set('a', { n: 2, list: ['x', null] });
      assert.deepEqual(await storage.get('a'), { n: 2, list: ['x', null] });
      await storage.delete('a');
      assert.equal(await storage.get('a'), undefined);
    });

    it('when entries are asked for, then those with the prefix come in the order of their keys', async () => {
      const storage = create();
      for (const key of ['q/2', 'q/10', 'p/1', 'q', 'r', 'q/1']) await storage.set(key, key);
      assert.deepEqual(await storage.entries('q/'), [
        ['q/1', 'q/1'],
        ['q/10', 'q/10'],
        ['q/2', 'q/2'],
      ]);
    });

    it('when a value is changed after it was set, or after it was got, then what is kept stays', async () => {
      const storage = create();
      const value = { list: [1] };
      await storage.set('a', value);
      value.list.push(2);
      const got = (await storage.get('a')) as typeof value;
      assert.deepEqual(got, { list: [1] });
      got.list.push(3);
      assert.deepEqual(await storage.get('a'), { list: [1] });
    });

    it('when many writes are under way at once, then each is there', async () => {
      const storage = create();
      await Promise.all(Array.from({ length: 50 }, (_, n) => storage.set(`k/${n}`, n)));
      assert.equal((await storage.entries('k/')).length, 50);
    });

    it('when several are written in one go, then each is set or deleted', async () => {
      const storage = create();
      await storage.set('a', 1);
      await storage.write([
        ['b', 2],
        ['a', undefined],
        ['c', { list: [3] }],
      ]);
      assert.deepEqual(await storage.entries(''), [
        ['b', 2],
        ['c', { list: [3] }],
      ]);
    });

    it('when a value cannot be copied, then the write is refused, all of it', async () => {
      const storage = create();
      await storage.set('a', 1);
      const faulty = storage.write([
        ['a', 2],
        ['b', { call: () => 1 }],
      ]);
      await assert.rejects(faulty);
      await assert.rejects(storage.set('b', { call: () => 1 }));
      assert.deepEqual(await storage.entries(''), [['a', 1]]);
    });
  });
}

describe('the adapter of IndexedDB', () => {
  it('when another adapter opens the same database, then it finds what was kept; another name is another database', async () => {
    const indexedDB = factory();
    await indexedDbStorage({ indexedDB, IDBKeyRange }).set('a', 1);
    assert.equal(await indexedDbStorage({ indexedDB, IDBKeyRange }).get('a'), 1);
    assert.equal(await indexedDbStorage({ indexedDB, IDBKeyRange, name: 'other' }).get('a'), undefined);
  });

  it('when it cannot be opened, then that is told, and the next try opens it', async () => {
    const real = new IDBFactory();
    let broken = true;
    const indexedDB = {
      open: (name: string, version: number) => {
        if (broken) throw new Error('private mode');
        return real.open(name, version);
      },
    } as unknown as IndexedDb;
    const storage = indexedDbStorage({ indexedDB, IDBKeyRange });
    await assert.rejects(storage.get('a'), (error: HomingError) => error.code === 'storage_failed');
    broken = false;
    await storage.set('a', 1);
    assert.equal(await storage.get('a'), 1);
  });

  it('when the browser closes it for another tab, then it is opened again', async () => {
    const real = new IDBFactory();
    const storage = indexedDbStorage({ indexedDB: real as unknown as IndexedDb, IDBKeyRange });
    await storage.set('a', 1);
    await new Promise<void>((resolve, reject) => {
      const request = real.open('homing', 2);
      request.addEventListener('success', () => {
        request.result.close();
        resolve();
      });
      request.addEventListener('blocked', () => reject(new Error('it was not let go')));
    });
    // The database is newer now than the adapter knows: what counts is that it asks again, and says so.
    await assert.rejects(storage.get('a'), (error: HomingError) => error.code === 'storage_failed');
  });

  it('when there is no IndexedDB, then that is said at once', () => {
    assert.throws(
      () => indexedDbStorage(),
      (error: HomingError) => error.code === 'storage_failed',
    );
  });
});
