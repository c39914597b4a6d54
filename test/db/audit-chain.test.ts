import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import { openDb } from '../../db/client.ts';
import { audit, logAuditHead, verifyAudit } from '../../domain/audit/index.ts';
import { type TestDatabase, createDatabase } from '../setup/database.ts';

const by = { operator: 'öl "\\ \t\u0001 … 🙂' };
const entries = 12;

describe('the chain of the audit', () => {
  let database: TestDatabase;
  let db: ReturnType<typeof openDb>;
  beforeEach(async () => {
    database = await createDatabase();
    db = openDb({ url: database.url, applicationName: 'audit' });
    for (let n = 0; n < entries; n += 1) await write();
  });
  afterEach(async () => {
    await db.end();
    await database.drop();
  });

  const deps = () => ({ db, newId: () => randomUUIDv7(), publishLive: () => undefined });
  const write = () =>
    db.transaction((tx) => audit(tx, deps(), by, { action: 'story', userId: randomUUIDv7() as never, jobId: 'a.b' }));
  const verify = (kept?: { seq: number; hash: string }) => verifyAudit(deps(), by, kept);
  const headOf = async () => {
    const verdict = await verify();
    assert.ok(verdict.intact);
    return verdict.head;
  };
  const breaksAt = async (seq: number, kept?: { seq: number; hash: string }) => {
    const verdict = await verify(kept);
    assert.deepEqual([verdict.intact, 'seq' in verdict && verdict.seq], [false, seq]);
  };

  it('is whole when many are written at once, and grows by each look at it', async () => {
    await Promise.all(Array.from({ length: 40 }, write));
    const { seq } = await headOf();
    assert.equal(seq, entries + 40);
    assert.equal((await headOf()).seq, seq + 1);
  });

  it('goes on over an entry that was taken back', async () => {
    await assert.rejects(
      db.transaction(async (tx) => {
        await audit(tx, deps(), by, { action: 'story', userId: null });
        throw new Error('not found');
      }),
    );
    await write();
    assert.equal((await headOf()).seq, entries + 1);
  });

  it('is added to by the application, which can change nothing of it, nor choose a place in it', async () => {
    const client = new pg.Client(database.url);
    await client.connect();
    for (const statement of [
      `update audit set action = 'why'`,
      'delete from audit',
      'truncate audit',
      'alter table audit disable trigger chain',
      'drop function chain_audit cascade',
      'update audit_end set seq = 1',
      'delete from audit_end',
    ])
      await assert.rejects(client.query(statement), { code: '42501' }, statement);
    await client.query(`insert into audit (id, operator, action, seq, hash) values ($1, 'x', 'why', 3, '\\x00')`, [
      randomUUIDv7(),
    ]);
    await client.end();
    assert.equal((await headOf()).seq, entries + 1);
  });

  describe('when the owner of the schema', () => {
    it('changes an entry, then it is said which', async () => {
      const changes = [`action = 'why'`, 'user_id = null', `at = at + interval '1 microsecond'`, `operator = 'x'`];
      for (const [n, change] of changes.entries()) {
        const seq = entries - 2 * n - 1;
        await database.run(`update audit set ${change} where seq = ${seq}`);
        await breaksAt(seq);
      }
    });

    it('changes what an entry says of a change, or adds it to one that says nothing, then it is said which', async () => {
      const change = { from: 'member', to: 'admin' };
      await db.transaction((tx) => audit(tx, deps(), by, { action: 'change_role', userId: null, change }));
      assert.ok((await verify()).intact);
      await database.run(`update audit set became = 'support' where seq = ${entries + 1}`);
      await breaksAt(entries + 1);
      await database.run(`update audit set was = 'member', became = 'admin' where seq = 4`);
      await breaksAt(4);
    });

    it('changes one and its hash, then it is said that the next one does not follow', async () => {
      await database.run(`update audit set action = 'why' where seq = 5`);
      await database.run(
        `update audit a set hash = audit_hash((select hash from audit where seq = 4), a) where seq = 5`,
      );
      await breaksAt(6);
    });

    it('takes one away, at whatever place, then it is said which', async () => {
      await database.run('delete from audit where seq = 7');
      await breaksAt(7);
      await database.run('delete from audit where seq = 1');
      await breaksAt(1);
    });

    it('takes the last ones away, then it is said at once, and when others have followed', async () => {
      await database.run(`delete from audit where seq > ${entries - 3}`);
      await breaksAt(entries - 2);
      await write();
      await breaksAt(entries - 2);
      await database.run('delete from audit');
      await breaksAt(1);
    });

    it('takes them away and sets the end back, then only a head that was kept elsewhere says so', async () => {
      const told: unknown[] = [];
      const log = { info: (_: string, fields: unknown) => void told.push(fields), warn() {}, error() {} };
      await logAuditHead({ db, log });
      await database.run('delete from audit where seq > 10');
      await database.run('update audit_end set (seq, hash) = (select seq, hash from audit where seq = 10)');
      assert.equal((await headOf()).seq, 10);
      await breaksAt(entries, told[0] as { seq: number; hash: string });
    });

    it('takes away where it ends, then that is said, or what breaks before', async () => {
      await database.run('delete from audit_end');
      await assert.rejects(write(), 'nothing can follow');
      const verdict = await verify();
      assert.ok(!verdict.intact && verdict.why.includes('audit_end is empty'));
      assert.equal(verdict.seq, entries + 1);
      const told: string[] = [];
      await logAuditHead({ db, log: { info() {}, warn() {}, error: (words) => void told.push(words) } });
      assert.match(told.join(), /where it ends is not written down/);
      await database.run('delete from audit where seq = 7');
      await breaksAt(7);
    });

    it('takes the last ones away or writes all anew, then a head that was kept elsewhere says so', async () => {
      const head = await headOf();
      await database.run(`delete from audit where seq >= ${head.seq}`);
      await breaksAt(head.seq, head);
      await write();
      await breaksAt(head.seq, head);
      assert.ok((await verify({ ...head, seq: head.seq - 1, hash: 'other' })).intact === false);
    });
  });
});
