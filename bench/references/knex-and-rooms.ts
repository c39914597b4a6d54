import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import knexFactory, { type Knex } from 'knex';
import { Server } from 'socket.io';
import { z } from 'zod';
import { createKeySet } from '../../platform/key-set.ts';
import { createTokens } from '../../platform/tokens.ts';
import { serve } from '../lib/child.ts';

/**
 * The build that most tutorials end at, carefully made: a knex transaction for each message (membership, number, message,
 * outbox), a room for each conversation, `io.to(room).emit`. It takes and gives the same packets as the product, checks
 * the token and the input, and leaves out what the product does beyond that (limits, logs, metrics, threads, blocks …).
 */
const { DATABASE_URL: url = '', HOMING_JWT_KEYS: keys = '[]', HOMING_PUBLIC_URL: issuer = '' } = process.env;
const knex = knexFactory({ client: 'pg', connection: url, pool: { min: 2, max: 10 } });
const tokens = createTokens({
  keys: createKeySet({ configured: JSON.parse(keys) as never }),
  issuer,
  audience: 'homing',
});
const Send = z.strictObject({
  conversationId: z.uuid(),
  message: z.strictObject({ clientId: z.uuid(), text: z.string().min(1).max(8_000) }),
});

interface Sent {
  conversationId: string;
  senderId: string;
  clientId: string;
  text: string;
}

const store = ({ conversationId, senderId, clientId, text }: Sent) =>
  knex.transaction(async (trx: Knex.Transaction) => {
    const member = await trx('rooms.member')
      .where({ conversation_id: conversationId, user_id: senderId })
      .first('user_id');
    if (!member) throw new Error('forbidden');
    const [moved] = await trx('rooms.conversation')
      .where({ id: conversationId })
      .increment('last_seq', 1)
      .returning<{ last_seq: string }[]>('last_seq');
    const seq = Number(moved?.last_seq);
    const row = { conversation_id: conversationId, seq, client_id: clientId, sender_id: senderId, text };
    const [stored] = await trx('rooms.message')
      .insert(row)
      .returning<{ id: string; created_at: Date }[]>(['id', 'created_at']);
    await trx('rooms.outbox').insert({ conversation_id: conversationId, seq_from: seq, seq_to: seq });
    return {
      id: stored?.id,
      conversationId,
      seq,
      version: seq + 1,
      senderId,
      clientId,
      text,
      createdAt: stored?.created_at,
    };
  });

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false, perMessageDeflate: false });
io.use((socket, next) => {
  try {
    socket.data.userId = tokens.verify(String(socket.handshake.auth.token)).userId;
    next();
  } catch (error) {
    next(error as Error);
  }
});
io.on('connection', async (socket) => {
  const senderId = String(socket.data.userId);
  socket.on('message.send', async (input: unknown, ack: (answer: object) => void) => {
    const parsed = Send.safeParse(input);
    if (!parsed.success) return ack({ ok: false, error: { code: 'invalid_input' } });
    const { conversationId, message } = parsed.data;
    try {
      const stored = await store({ conversationId, senderId, ...message });
      ack({ ok: true, message: stored });
      const { version, createdAt: at } = stored;
      const event = {
        conversationId,
        version,
        at,
        actorId: senderId,
        type: 'message.created',
        data: { message: stored },
      };
      io.to(conversationId).emit('event', event);
    } catch (error) {
      ack({ ok: false, error: { code: (error as Error).message } });
    }
  });
  const mine = await knex('rooms.member').where({ user_id: senderId }).pluck<string[]>('conversation_id');
  await socket.join(mine);
  // The clients take it for the sign that this socket is live, as they take the product's.
  socket.emit('hello', {});
});
await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));

const calls = { port: () => (http.address() as AddressInfo).port };
export type KnexAndRooms = typeof calls;
serve(calls);
