import { appendFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type NextFunction, type Request, type Response, type Router } from 'express';
import { z } from 'zod';
import { type ProviderAnswer, notThere, unreadable } from './answers.ts';
import { control } from './control.ts';
import { fcmFace } from './fcm.ts';
import { inbox } from './inbox.ts';
import { tooLarge } from './mail-limits.ts';
import { isOwnMachine } from './own-machine.ts';
import { TooManyRules } from './rules.ts';
import { sendGridFace } from './sendgrid.ts';
import type { Provider } from './store.ts';
import { give } from './take.ts';
import { twilioFace } from './twilio.ts';
import { type World, type WorldOptions, createWorld } from './world.ts';

/** SendGrid's limit of one mail with everything in it. */
const mailLimit = '30mb';

export interface SandboxOptions extends WorldOptions {
  /** 0: any free one. */
  port?: number;
  host?: string;
  production?: boolean;
  /** Where each record, and each change of one, is added as a line of JSON. */
  file?: string | undefined;
  /** The app that people sign in to by the identity providers here; without one there are none. */
  appUrl?: string | undefined;
}

export interface Sandbox {
  url: string;
  close(): Promise<void>;
}

/**
 * The provider sandbox: FCM, SendGrid and Twilio as the official SDKs see them, an inbox of what they took, rules that make
 * them fail, and signed reports of what became of it. Nothing leaves this machine. Refuses to stand in for anything in
 * production.
 */
export async function startSandbox({
  port = 0,
  host = '127.0.0.1',
  production = false,
  file,
  appUrl,
  ...options
}: SandboxOptions = {}): Promise<Sandbox> {
  if (production) throw new Error('The provider sandbox does not run in production.');
  const world = createWorld(options);
  if (file !== undefined) writeTo(file, world);
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const address = server.address() as AddressInfo;
  const url = `http://${host}:${address.port}`;
  server.on('request', createApp(world, appUrl === undefined ? undefined : await identities(url, appUrl)));
  return { url, close: () => close(server, world) };
}

/** Loaded where it is wanted: what it is made of is installed for development alone, and the image goes without. */
async function identities(url: string, appUrl: string): Promise<Router> {
  const { identityProviders } = await import('./identity/index.ts');
  return identityProviders(url, appUrl);
}

/** Line by line as it comes, so that what was seen outlives the process. */
function writeTo(file: string, { store }: World): void {
  store.on('record', (list, record) =>
    appendFileSync(file, `${JSON.stringify({ list, ...record })}\n`, { mode: 0o600 }),
  );
}

function close(server: Server, { clock, webhooks }: World): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  clock.forget();
  webhooks.end();
  // Long polls and hanging answers would hold it open.
  server.closeAllConnections();
  return closed;
}

function createApp(world: World, providers: Router | undefined): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  // First: they read their forms themselves.
  if (providers) app.use('/identity', onlyHere);
  if (providers) app.use(providers);
  app.use(express.json({ limit: mailLimit }), express.urlencoded({ extended: false, limit: '1mb' }));
  app.use(fcmFace(world), sendGridFace(world), twilioFace(world));
  app.use(onlyHere, control(world), inbox(world));
  app.use((request, response) => unknownPath(world, request, response));
  app.use(onError(world));
  return app;
}

/** Whose path it is. */
function providerOf({ path }: Request): Provider | undefined {
  if (path.startsWith('/v1/projects')) return 'fcm';
  if (path.startsWith('/v3/')) return 'sendgrid';
  return /^\/(2010-04-01|v1\/Services)\//.test(path) ? 'twilio' : undefined;
}

/**
 * What tells of people is asked by a name of this machine: a page elsewhere may have a name of its own lead here, or post
 * without asking first. The SDKs name the providers' own hosts.
 */
function onlyHere(request: Request, response: Response, next: NextFunction): void {
  const { host = '', origin = `http://${host}` } = request.headers;
  if (providerOf(request) || (isOwnMachine(`http://${host}`) && isOwnMachine(origin))) return next();
  const detail = 'Ask by localhost, 127.0.0.1 or the name of the container, from no page of elsewhere.';
  response.status(403).json({ code: 'forbidden', detail });
}

function unknownPath(world: World, request: Request, response: Response): void {
  const provider = providerOf(request) ?? 'unknown';
  refuse(world, provider, notThere[provider], request, response);
}

/** A call that came to no face: it is shown all the same. */
function refuse(
  { store }: World,
  provider: Provider | 'unknown',
  answer: ProviderAnswer,
  { method, path }: Request,
  response: Response,
): void {
  const { status, body } = answer;
  store.note({ provider, method, path, to: null, attemptId: null, status, rule: null, answer: { status, body } });
  give(response, answer);
}

// Express knows an error handler by its four parameters.
const onError = (world: World) => (error: unknown, request: Request, response: Response, next: NextFunction) => {
  if (response.headersSent) return next(error);
  if (error instanceof z.ZodError) {
    const errors = error.issues.map(({ path, code, message }) => ({ path: path.join('.'), code, message }));
    return void response.status(400).json({ code: 'invalid_input', errors });
  }
  if (error instanceof TooManyRules)
    return void response.status(409).json({ code: 'limit_reached', detail: error.message });
  const status = (error as { status?: number }).status ?? 500;
  const provider = providerOf(request);
  if (status >= 500 || !provider)
    return void response.status(status).json({ code: status < 500 ? 'malformed' : 'internal' });
  const isTooLarge = status === 413 && provider === 'sendgrid';
  refuse(world, provider, isTooLarge ? tooLarge : unreadable[provider], request, response);
};
