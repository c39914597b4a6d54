import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer, type Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { fetchLimits } from '../../dev/services/fetch.ts';
import { contextOf } from '../../dev/services/index.ts';
import { obtain, vendorRelease, type Way } from '../../dev/services/obtain.ts';
import { removeTempFolders, tempFolder } from './support.ts';

const platform = `${process.platform}-${process.arch}`;
const good: Way = {
  name: 'the next way',
  fill: async (folder) => writeFileSync(join(folder, 'program'), 'from the next way'),
};

describe('a release of the vendor', () => {
  const archive = packed();
  const sha256 = createHash('sha256').update(archive).digest('hex');
  const { connectMs } = fetchLimits;
  let server: Server;
  let base: string;
  let asked: string[];

  before(async () => {
    server = createHttpServer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/moved.tar.gz') return response.writeHead(302, { location: '/release.tar.gz' }).end();
      if (request.url !== '/release.tar.gz') return response.writeHead(404).end();
      return response.end(archive);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${portOf(server)}`;
    fetchLimits.connectMs = 300;
  });
  beforeEach(() => {
    asked = [];
  });
  after(() => {
    fetchLimits.connectMs = connectMs;
    server.close();
    removeTempFolders();
  });

  const obtainFrom = (url: string, sum: string, reports: string[] = []) =>
    obtain(
      {
        name: 'Thing',
        entry: 'thing-1',
        binary: 'program',
        cache: tempFolder(),
        onMachine: async () => undefined,
        ways: [vendorRelease({ [platform]: { url, sha256: sum } }, 1), good],
        remedy: 'install it',
      },
      contextOf({ report: (line) => reports.push(line) }),
    );

  it('is downloaded, checked and unpacked without its top folder', async () => {
    const { path, from } = await obtainFrom(`${base}/release.tar.gz`, sha256);
    assert.equal(readFileSync(path, 'utf8'), 'from the vendor');
    assert.equal(from, "the vendor's release");
  });

  it('is followed to where it was moved', async () => {
    const { path } = await obtainFrom(`${base}/moved.tar.gz`, sha256);
    assert.equal(readFileSync(path, 'utf8'), 'from the vendor');
  });

  it('with another checksum is refused, told, and the next way is taken', async () => {
    const reports: string[] = [];
    const { path } = await obtainFrom(`${base}/release.tar.gz`, '0'.repeat(64), reports);
    assert.equal(readFileSync(path, 'utf8'), 'from the next way');
    assert.match(reports.join('\n'), new RegExp(`wrong checksum: SHA-256 is ${sha256}, pinned is 0000`));
  });

  it('that is gone leads to the next way', async () => {
    assert.equal((await obtainFrom(`${base}/gone.tar.gz`, sha256)).from, 'the next way');
  });

  it('at a host that refuses leads to the next way, and the host is not tried again', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const url = `http://127.0.0.1:${portOf(closed)}/release.tar.gz`;
    closed.close();
    await once(closed, 'close');
    assert.equal((await obtainFrom(url, sha256)).from, 'the next way');
    const reports: string[] = [];
    await obtainFrom(url, sha256, reports);
    assert.match(reports.join('\n'), /could not be reached before/);
  });

  it('at a host that never answers is given up after the limit for connecting', async () => {
    // It takes the connection and says nothing, so that TLS never comes about.
    const silent: TcpServer = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const reports: string[] = [];
    const { from } = await obtainFrom(`https://127.0.0.1:${portOf(silent)}/release.tar.gz`, sha256, reports);
    silent.close();
    assert.equal(from, 'the next way');
    assert.match(reports.join('\n'), /no connection within 0\.3 s/);
  });

  it('for a platform that none is pinned for is skipped, and that is told', async () => {
    const reports: string[] = [];
    const context = contextOf({ report: (line) => reports.push(line) });
    const { from } = await obtain(
      {
        ...{ name: 'Thing', entry: 'thing-1', binary: 'program', cache: tempFolder(), remedy: 'install it' },
        onMachine: async () => undefined,
        ways: [vendorRelease({}, 1), good],
      },
      context,
    );
    assert.equal(from, 'the next way');
    assert.match(reports.join('\n'), new RegExp(`none is pinned for ${platform}`));
    assert.deepEqual(asked, []);
  });
});

function portOf(server: Server | TcpServer): number {
  return (server.address() as AddressInfo).port;
}

function packed(): Buffer {
  const folder = tempFolder();
  mkdirSync(join(folder, 'thing-1'));
  writeFileSync(join(folder, 'thing-1', 'program'), 'from the vendor');
  return execFileSync('tar', ['-czf', '-', '-C', folder, 'thing-1']);
}
