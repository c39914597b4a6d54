import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** Providers that say back, in the words of an error, everything that they were sent, credentials included. */
export interface EchoingProviders {
  url: string;
  /** How often something was said back. */
  echoes: () => number;
  close(): Promise<void>;
}

/**
 * Stands before the sandbox. Of each provider the first calls fail and are said back, and each whose body holds the word is
 * refused for good; all others go on to the sandbox.
 */
export async function startEchoingProviders(sandboxUrl: string, refuse: string): Promise<EchoingProviders> {
  const failed = new Map<string, number>();
  let count = 0;
  const server = createServer((request, response) => {
    void answer(request).then(
      ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.destroy(),
    );
  });
  const answer = async (request: IncomingMessage) => {
    const sent = (await buffer(request)).toString('utf8');
    const path = request.url ?? '';
    const provider = path.split('/')[1] ?? '';
    const times = failed.get(provider) ?? 0;
    const forGood = decodeURIComponent(sent.replaceAll('+', ' ')).includes(refuse);
    if (!forGood && times >= 2) return forward(request, path, sent);
    failed.set(provider, times + 1);
    count += 1;
    const message = `${path} ${JSON.stringify(request.headers)} ${sent}`;
    const status = forGood ? 400 : 500;
    const body = JSON.stringify({
      ...{ code: forGood ? 21_602 : 20_500, status, message, more_info: message },
      ...{ error: { code: status, message, status: forGood ? 'INVALID_ARGUMENT' : 'INTERNAL' } },
      errors: [{ message, field: null, help: message }],
    });
    return { status, type: 'application/json', body };
  };
  const forward = async ({ method = 'GET', headers }: IncomingMessage, path: string, body: string) => {
    const passed = ['content-type', 'authorization', 'accept'].flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value] as [string, string]] : [];
    });
    const init = { method, headers: Object.fromEntries(passed), ...(body === '' ? {} : { body }) };
    const answered = await fetch(`${sandboxUrl}${path}`, init);
    const type = answered.headers.get('content-type') ?? 'text/plain';
    return { status: answered.status, type, body: await answered.text() };
  };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    echoes: () => count,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
