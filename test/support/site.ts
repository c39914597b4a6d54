import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ServerResponse, createServer } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../../dev/services/index.ts';

/** A site that serves modules of this tree to browsers, with no bundler between: only their types are taken away. */
export interface Site {
  url: string;
  /** The modules that were asked for, and their code as it was served. */
  served: Map<string, string>;
  close(): Promise<void>;
}

const packages: Record<string, string> = {
  'socket.io-client': join(
    fileURLToPath(import.meta.resolve('socket.io-client')),
    '../../../dist/socket.io.esm.min.js',
  ),
};
const importMap = JSON.stringify({
  imports: Object.fromEntries(Object.keys(packages).map((name) => [name, `/${name}`])),
});

/** Serves a page that loads the module, and may connect to whichever `api` its address names, and to nothing else. */
export async function startSite(module: string): Promise<Site> {
  const served = new Map<string, string>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://site');
    if (pathname === '/') return sendPage(response, module, searchParams.get('api') ?? '');
    moduleAt(pathname.slice(1)).then(
      (code) => {
        served.set(pathname.slice(1), code);
        response.setHeader('content-type', 'text/javascript').end(code);
      },
      () => response.writeHead(404).end(),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    served,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function moduleAt(path: string): Promise<string> {
  const file = packages[path];
  if (file) return readFile(file, 'utf8');
  return stripTypeScriptTypes(await readFile(join(root, path), 'utf8'));
}

function sendPage(response: ServerResponse, module: string, api: string): void {
  const policy = [
    "default-src 'none'",
    "script-src 'self' 'nonce-map'",
    `connect-src ${api} ${api.replace('http', 'ws')}`,
    'img-src data:',
  ];
  response.setHeader('content-type', 'text/html').setHeader('content-security-policy', policy.join('; '));
  response.end(`<!doctype html>
<link rel="icon" href="data:,">
<script type="importmap" nonce="map">${importMap}</script>
<script type="module" src="/${module}"></script>
`);
}
