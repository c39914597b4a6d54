import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { byteaArray, textArray, uuidArray } from '../../db/arrays.ts';
import { openDb } from '../../db/client.ts';
import { type TestDatabase, createDatabase } from '../setup/database.ts';

describe('arrays in PostgreSQL’s binary form', () => {
  let database: TestDatabase;
  let db: ReturnType<typeof openDb>;
  before(async () => {
    database = await createDatabase();
    db = openDb({ url: database.url, applicationName: 'arrays' });
  });
  after(async () => {
    await db.end();
    await database.drop();
  });

  const read = async (type: string, array: Buffer): Promise<unknown[]> => {
    const text = `select unnest($1::${type}[])${type === 'uuid' ? '::text' : ''} as value`;
    const { rows } = await db.query<{ value: unknown }>({ text, values: [array] });
    return rows.map(({ value }) => value);
  };

  it('ids come out as they went in, and nothing as null', async () => {
    const ids = [randomUUID(), null, randomUUID()];
    assert.deepEqual(await read('uuid', uuidArray(ids)), ids);
  });

  it('texts come out as they went in, whatever they hold', async () => {
    const texts = ['', 'plain', `"quoted", {braced} and \\ back`, 'grüße 👩‍👩‍👧', null, 'null', 'x'.repeat(70_000)];
    assert.deepEqual(await read('text', textArray(texts)), texts);
  });

  it('bytes come out as they went in', async () => {
    const values = [Buffer.alloc(0), Buffer.from([0, 255, 92, 34])];
    assert.deepEqual(await read('bytea', byteaArray(values)), values);
  });

  it('an array of nothing holds nothing', async () => {
    assert.deepEqual(await read('uuid', uuidArray([])), []);
    assert.deepEqual(await read('text', textArray([])), []);
    assert.deepEqual(await read('bytea', byteaArray([])), []);
  });

  it('what is no id is refused before it is sent', () => {
    for (const id of ['', 'no id', randomUUID().slice(1)]) assert.throws(() => uuidArray([id]), TypeError);
  });
});
