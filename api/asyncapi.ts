import { z } from 'zod';
import { SocketError } from '../contracts/errors.ts';
import { Handshake, clientEvents, serverEvents } from '../contracts/realtime/index.ts';

type JsonSchema = Record<string, unknown>;

/**
 * Turns schemas of the contract into JSON Schema (draft 7, AsyncAPI's default) and gathers the named ones, which the
 * document keeps in its components. What goes in and what comes out may differ, so the two have different names.
 */
function schemaWriter() {
  const schemas: Record<string, unknown> = {};
  const write = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
    const suffix = io === 'input' ? 'Input' : '';
    const {
      $schema: _,
      definitions = {},
      ...root
    } = z.toJSONSchema(schema, { target: 'draft-7', io, unrepresentable: 'any' });
    const moved = (value: unknown): unknown =>
      JSON.parse(JSON.stringify(value).replaceAll(/"#\/definitions\/([^"]+)"/g, `"#/components/schemas/$1${suffix}"`));
    for (const [name, definition] of Object.entries(definitions as Record<string, unknown>))
      schemas[`${name}${suffix}`] = moved(definition);
    return moved(root) as JsonSchema;
  };
  return { schemas, write };
}

/**
 * The socket contract as an AsyncAPI 3 document. Actions are told from the server's side: it receives what clients ask
 * and sends what nobody asked for.
 */
export function asyncApiDocument({ publicUrl, version }: { publicUrl: string; version: string }) {
  const { schemas, write: jsonSchema } = schemaWriter();
  // Nothing refers to it: Socket.IO's handshake has no place in AsyncAPI but here.
  jsonSchema(z.strictObject({ auth: Handshake }), 'input');
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
        { name: `${name}.ack`, summary: `The acknowledgement of ${name}`, payload: ackOf(answer, jsonSchema) },
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
    components: { schemas },
  };
}

/** `{ ok: true, …answer }` or `{ ok: false, error }`. */
function ackOf(answer: z.ZodType, jsonSchema: (schema: z.ZodType, io: 'output') => JsonSchema) {
  const refused = z.strictObject({ ok: z.literal(false), error: SocketError });
  const accepted = answer instanceof z.ZodObject ? answer.extend({ ok: z.literal(true) }) : answer;
  return { oneOf: [jsonSchema(accepted, 'output'), jsonSchema(refused, 'output')] };
}
