import { createClient } from '../../sdk/index.ts';

// HOMING_TOKEN=hom_pat_… node docs/examples/echo-bot.ts https://chat.example
const [url = ''] = process.argv.slice(2);
const client = createClient({ url });
const me = await client.useToken(process.env.HOMING_TOKEN ?? '');

client.on('message', ({ conversationId, message }) => {
  if (message.senderId === me.id || message.text === null) return;
  client.send(conversationId, { text: message.text, replyTo: message.id });
  client.markRead(conversationId, message.seq);
});

process.once('SIGTERM', () => void client.stop());
await client.start();
process.stdout.write(`${me.displayName} is listening.\n`);
