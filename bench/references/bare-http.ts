import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConversationId } from '../../contracts/ids.ts';
import { NewMessage } from '../../contracts/entities/index.ts';
import { sendMessage } from '../../domain/messages/index.ts';
import { readConfig } from '../../platform/config.ts';
import { createRuntime } from '../../runtime.ts';
import { serve } from '../lib/child.ts';

/** The same send behind a bare node:http: token, contract, domain and answer, and neither routing nor middleware. */
const { deps } = await createRuntime(readConfig(), ['api']);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const actor = deps.tokens.verify((request.headers.authorization ?? '').slice('Bearer '.length));
  const conversationId = (request.url ?? '').split('/')[3] as ConversationId;
  const input = NewMessage.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  const { message } = await sendMessage(deps, actor, conversationId, input);
  const body = JSON.stringify({ message });
  response.writeHead(201, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}

const http = createServer((request, response) => {
  answer(request, response).catch((error: Error) => response.writeHead(500).end(error.message));
});
await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));

const calls = { port: () => (http.address() as AddressInfo).port };
export type BareHttp = typeof calls;
serve(calls);
