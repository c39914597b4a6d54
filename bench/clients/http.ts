import { randomUUIDv7 } from 'node:crypto';
import { Agent, request } from 'node:http';
import { serve } from '../lib/child.ts';
import { groupId } from '../lib/people.ts';

/** Clients of the REST API, each with a connection that it keeps. */
export interface Sending {
  port: number;
  tokens: string[];
  /** Members of each group: client `n` is in group `n / size`. */
  size: number;
  clients: number;
  requests: number;
}

const calls = {
  /** Resolves when all requests were answered. */
  async send({ port, tokens, size, clients, requests }: Sending): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    let left = requests;
    const one = async (n: number) => {
      while (left > 0) {
        left -= 1;
        const person = (n * 31 + left * 7) % tokens.length;
        await post(agent, { port, token: tokens[person] ?? '', group: Math.floor(person / size) });
      }
    };
    await Promise.all(Array.from({ length: clients }, (_, n) => one(n)));
    agent.destroy();
  },
};
export type HttpClients = typeof calls;

function post(agent: Agent, { port, token, group }: { port: number; token: string; group: number }): Promise<void> {
  const body = JSON.stringify({ clientId: randomUUIDv7(), text: 'x'.repeat(120) });
  const headers = {
    ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    'content-length': String(Buffer.byteLength(body)),
  };
  return new Promise((resolve, reject) => {
    const path = `/v1/conversations/${groupId(group)}/messages`;
    request({ agent, port, host: '127.0.0.1', method: 'POST', path, headers }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 201 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
      );
    })
      .once('error', reject)
      .end(body);
  });
}
serve(calls);
