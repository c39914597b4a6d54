import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';
import type { Conversation, ConversationEvent, Me, Message, Session } from '../contracts/entities/index.ts';
import { UsageError } from './flags.ts';
import { stepsInWords } from './ladder.ts';
import { NotRunning, runThatServes, stateFolder } from './running.ts';

// npm run demo: the main job on a running start, told as it happens. `-- --state DIR`: on the one that keeps its state there.

interface Taken {
  channel: string;
  title: string;
  text: string;
  receivedAt: string;
  attemptId: string | null;
  /** It says nothing to the person. */
  silent?: boolean;
}
interface Person {
  name: string;
  id: string;
  email: string;
  token: string;
}

const bold = (text: string) => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[22m` : text);
const say = (text = '') => void process.stdout.write(`${text}\n`);
let sentAt = Date.now();
const at = (time: number | string = Date.now()) =>
  `${((new Date(time).getTime() - sentAt) / 1_000).toFixed(1).padStart(6)} s`;

/** Where things are, once they answer. */
async function findRun() {
  const {
    api = '',
    sandbox: inbox = '',
    temporalUi,
    ladder,
  } = await runThatServes(stateFolder(process.argv.slice(2)), say);
  return { api, sandbox: inbox, temporalUi, ladder };
}

async function main(): Promise<void> {
  say(bold('Three people: Ana writes, Ben is here, Cleo is away.'));
  const [ana, ben] = [await register('Ana'), await register('Ben')];
  const cleo = await makeReachable(await register('Cleo'));
  const group = await call<Conversation>(ana, 'POST', '/v1/conversations', {
    clientId: randomUUIDv7(),
    kind: 'group',
    title: 'Demo',
    memberIds: [ben.id, cleo.id],
  });
  say(run.ladder ? `\nThe ladder here: ${stepsInWords(run.ladder)}.\n` : '');

  const { heard } = await listen(ben);
  sentAt = Date.now();
  const { message } = await send(ana, group, 'The server room is warm');
  say(`${at()}  Ana sends message ${message.seq}; it is stored and numbered`);
  await heard;
  say(`${at()}  ${bold('Ben')}, who is present, has it live`);

  const push = await taken({ to: cleo.push, channel: 'push' });
  say(`${at(push.receivedAt)}  ${bold('Cleo’s phone')}: «${push.title}: ${push.text}»`);
  const story = workflowLink(cleo);
  say(`          Look at her episode: ${story}`);
  const mail = await taken({ to: cleo.email, channel: 'email', text: 'new message' });
  say(`${at(mail.receivedAt)}  ${bold('Cleo’s mail')}: «${mail.title}»`);
  const text = await taken({ to: cleo.phone, channel: 'sms', text: 'new message' });
  say(`${at(text.receivedAt)}  ${bold('Cleo’s SMS')}: «${text.text}»`);

  await call(cleo, 'PUT', `/v1/conversations/${group.id}/receipts`, { readSeq: message.seq });
  say(`${at()}  Cleo reads it`);
  await readingStops(ana, cleo, group);
  say(`\n${bold('That is the main job.')} Inbox of the providers: ${run.sandbox}`);
  say(`Her whole story in the Temporal UI: ${story}`);
}

/** A second message that is read within the grace: no push, and Temporal never hears of it. */
async function readingStops(ana: Person, cleo: Person & { push: string }, group: Conversation): Promise<void> {
  const second = await send(ana, group, 'Never mind, it is fine now');
  say(`${at()}  Ana sends message ${second.message.seq}`);
  const grace = run.ladder?.pushMs ?? 1_500;
  await sleep(Math.min(500, grace / 3));
  await call(cleo, 'PUT', `/v1/conversations/${group.id}/receipts`, { readSeq: second.message.seq });
  say(`${at()}  Cleo, who is looking now, reads it at once`);
  // Longer than the grace and a push together: what is not there now does not come any more.
  await sleep(grace + 2_500);
  const { items } = await sandbox<{ items: Taken[] }>(`/inbox.json?${query({ to: cleo.push })}`);
  const shown = items.filter(({ silent }) => !silent);
  if (shown.length !== 1) throw new Error(`the reading did not stop a second push: there were ${shown.length}`);
  const cleared = items.find(({ silent }) => silent);
  if (cleared) say(`${at(cleared.receivedAt)}  Her phone is told silently to take down what she has read elsewhere`);
  say(`${at()}  ${bold('No second push')}: reading is what ends an episode`);
}

async function register(name: string): Promise<Person> {
  const email = `${name.toLowerCase()}.${randomBytes(3).toString('hex')}@example.test`;
  const body = { email, password: 'a long enough password', displayName: name };
  const { user, session } = await call<{ user: Me; session: Session }>(undefined, 'POST', '/v1/auth/register', body);
  return { name, id: user.id, email, token: session.accessToken };
}

/** A phone with a push token, and a mail address and number that were confirmed by their codes. */
async function makeReachable(person: Person): Promise<Person & { push: string; phone: string }> {
  const push = `ok-${randomBytes(8).toString('hex')}`;
  const phone = `+4915${Math.floor(1e8 + Math.random() * 9e8)}`;
  await call(person, 'PUT', `/v1/me/devices/${randomUUIDv7()}`, {
    platform: 'android',
    pushToken: push,
    pushPermission: 'granted',
  });
  say(
    'Cleo confirms her address and her number by the codes that she is sent (this waits for Temporal on a first start) …',
  );
  await call(person, 'POST', '/v1/me/email/verify', {
    code: codeIn(await taken({ to: person.email, channel: 'email' })),
  });
  await call(person, 'POST', '/v1/me/phone', { phone });
  await call(person, 'POST', '/v1/me/phone/verify', { code: codeIn(await taken({ to: phone, channel: 'sms' })) });
  await call(person, 'PATCH', '/v1/me/notifications', { channels: { sms: true } });
  return { ...person, push, phone };
}

const codeIn = ({ text }: Taken) => /\d{6}/.exec(text)?.[0] ?? '';

/** A socket of somebody present, once it is greeted, and a promise of the first message that it hears. */
async function listen(person: Person): Promise<{ heard: Promise<void> }> {
  const socket = io(run.api, { transports: ['websocket'], auth: { token: person.token } });
  await new Promise<void>((resolve, reject) => socket.once('hello', () => resolve()).once('connect_error', reject));
  const heard = new Promise<void>((resolve) => {
    socket.on('event', ({ type }: ConversationEvent) => {
      if (type !== 'message.created') return;
      socket.close();
      resolve();
    });
  });
  return { heard };
}

const send = (from: Person, to: Conversation, text: string) =>
  call<{ message: Message }>(from, 'POST', `/v1/conversations/${to.id}/messages`, { clientId: randomUUIDv7(), text });

/** Where support looks at the person's episode. Its id is known from the outside: nothing else is asked. */
function workflowLink(person: Person): string {
  const path = `/namespaces/homing/workflows/${encodeURIComponent(`attention/${person.id}/1`)}`;
  return run.temporalUi ? `${run.temporalUi}${path}` : `(the Temporal UI is not up) ${path}`;
}

async function call<Body = unknown>(
  person: Person | undefined,
  method: string,
  path: string,
  body: object,
): Promise<Body> {
  const response = await fetch(`${run.api}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(person ? { authorization: `Bearer ${person.token}` } : {}) },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Body;
}

/** The first thing that the providers took of this kind, waited for as long as a first start may take. */
async function taken(filter: Record<string, string>): Promise<Taken> {
  const end = Date.now() + 20 * 60_000;
  while (Date.now() < end) {
    const { items } = await sandbox<{ items: Taken[] }>(`/wait?${query({ ...filter, timeoutMs: '60000' })}`);
    if (items[0]) return items[0];
  }
  throw new Error(`nothing arrived for ${JSON.stringify(filter)}`);
}

const query = (filter: Record<string, string>) => new URLSearchParams(filter).toString();

async function sandbox<Body>(path: string): Promise<Body> {
  return (await (await fetch(`${run.sandbox}${path}`)).json()) as Body;
}

/** Whom we cannot help otherwise is told what helps; 2 is how a command line says that it was called wrongly. */
function leave(error: unknown): never {
  const plain = error instanceof NotRunning || error instanceof UsageError;
  say(plain ? error.message : `\nThe demo could not go on: ${(error as Error).message}`);
  process.exit(error instanceof UsageError ? 2 : 1);
}

// Last, so that everything above is there when it begins.
const run = await findRun().catch(leave);
await main().catch(leave);
process.exit(0);
