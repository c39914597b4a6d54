import { z } from 'zod';
import { SocketError } from '../contracts/errors.ts';
import { Handshake, clientEvents, serverEvents } from '../contracts/realtime/index.ts';

/** A schema of the contract as JSON Schema for AsyncAPI's default dialect (draft 7). */
const jsonSchema = (schema: z.ZodType, io: 'input' | 'output') => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io,
    unrepresentable: 'any',
    reused: 'inline',
  });
  return rest;
};

/**
 * The socket contract as an AsyncAPI 3 document. Actions are told from the server's side: it receives what clients ask
 * and sends what nobody asked for.
 */
export function asyncApiDocument({ publicUrl, version }: { publicUrl: string; version: string }) {
  const { protocol, host } = new URL(publicUrl);
  const requests = Object.entries(clientEvents);
  const told = Object.entries(serverEvents);
  const messages = {
    ...Object.fromEntries(
      requests.map(([name, { summary, input }]) => [name, { name, summary, payload: jsonSchema(input, 'input') }]),
    ),
    ...Object.fromEntries(
      requests.map(([name, { answer }]) => [
        `${name}.ack`,
        { name: `${name}.ack`, summary: `The acknowledgement of ${name}`, payload: ackOf(answer) },
      ]),
    ),
    ...Object.fromEntries(
      told.map(([name, { summary, payload }]) => [name, { name, summary, payload: jsonSchema(payload, 'output') }]),
    ),
  };
  const ref = (name: string) => ({
    $ref: `#/channels/socket/messages/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
  });
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Homing',
      version,
      description:
        'Sockets: Socket.IO 4, WebSocket transport. The access token goes into the handshake’s auth, never into the URL.',
      license: { name: 'Apache-2.0' },
    },
    servers: { homing: { host, protocol: protocol === 'https:' ? 'wss' : 'ws', pathname: '/socket.io/' } },
    channels: {
      socket: {
        address: '/',
        messages,
        bindings: {
          ws: { query: { type: 'object', properties: { EIO: { const: '4' }, transport: { const: 'websocket' } } } },
        },
      },
    },
    operations: {
      ...Object.fromEntries(
        requests.map(([name, { summary }]) => [
          `on ${name}`,
          {
            action: 'receive',
            summary,
            channel: { $ref: '#/channels/socket' },
            messages: [ref(name)],
            reply: { channel: { $ref: '#/channels/socket' }, messages: [ref(`${name}.ack`)] },
          },
        ]),
      ),
      ...Object.fromEntries(
        told.map(([name, { summary }]) => [
          `tell ${name}`,
          { action: 'send', summary, channel: { $ref: '#/channels/socket' }, messages: [ref(name)] },
        ]),
      ),
    },
    components: { schemas: { Handshake: jsonSchema(Handshake, 'input') } },
  };
}

/** `{ ok: true, …answer }` or `{ ok: false, error }`. */
function ackOf(answer: z.ZodObject | z.ZodType) {
  const refused = z.strictObject({ ok: z.literal(false), error: SocketError });
  const accepted = answer instanceof z.ZodObject ? answer.extend({ ok: z.literal(true) }) : answer;
  return { oneOf: [jsonSchema(accepted, 'output'), jsonSchema(refused, 'output')] };
}
