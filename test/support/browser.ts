import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { contextOf, obtainChromium } from '../../dev/services/index.ts';

/** A page in a real Chromium, whose own modules put so many things among its globals. */
export interface Page<Globals> {
  open(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Asks anew for everything: else what an answer lets it keep is asked for once, and no server hears of it again. */
  keepNothing(): Promise<void>;
  /** Pixels. */
  resize(width: number, height: number): Promise<void>;
  /** Runs the function in the page, where nothing but its arguments is known; what it answers must have a JSON. */
  run<Input extends unknown[], Output>(
    work: (globals: Globals, ...input: Input) => Output | Promise<Output>,
    ...input: Input
  ): Promise<Output>;
  /** Gives the page an authenticator that keeps passkeys and has verified who is there. */
  addAuthenticator(): Promise<void>;
  /** What the page complained of on its own: errors that nobody took, files and addresses that it was refused. */
  complaints: string[];
  close(): Promise<void>;
}

export interface Browser {
  openPage<Globals>(): Promise<Page<Globals>>;
  close(): Promise<void>;
}

/** The DevTools protocol over a pipe: no port that another process could take, and no package. */
interface DevTools {
  ask<Answer>(method: string, params?: object, sessionId?: string): Promise<Answer>;
  /** The last listener of a method and a page is the one. */
  on(method: string, listener: (params: never) => void, sessionId: string): void;
}

type Reply = {
  id?: number;
  method?: string;
  sessionId?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
};

const flags = [
  ...['--headless', '--remote-debugging-pipe', '--no-first-run', '--disable-gpu', '--disable-extensions'],
  // A container's shared memory is small, and its root cannot have a sandbox; what runs here is our own page.
  ...['--disable-dev-shm-usage', '--no-sandbox'],
  // Nothing but our own page is to be fetched.
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

export async function startBrowser(): Promise<Browser> {
  const { path } = await obtainChromium(contextOf());
  const profile = mkdtempSync(join(tmpdir(), 'homing-browser-'));
  const child = spawn(path, [...flags, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const [, , , orders, answers] = child.stdio as unknown as [null, null, null, Writable, Readable];
  const tools = devTools(orders, answers);
  return {
    openPage: () => openPage(tools),
    async close() {
      await tools.ask('Browser.close').catch(() => child.kill('SIGKILL'));
      await exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function devTools(orders: Writable, answers: Readable): DevTools {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const listeners = new Map<string, (params: never) => void>();
  let last = 0;
  const take = ({ id = 0, method, sessionId, params, result, error }: Reply) => {
    listeners.get(`${sessionId} ${method}`)?.(params as never);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.reject(new Error(error.message));
    else asked?.resolve(result);
  };
  let rest = '';
  answers.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = `${rest}${chunk}`.split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages) take(JSON.parse(message) as Reply);
  });
  const end = () => waiting.forEach(({ reject }) => reject(new Error('the browser has ended')));
  answers.on('close', end);
  orders.on('error', end);
  return {
    ask: <Answer>(method: string, params: object = {}, sessionId?: string) => {
      const asked = Promise.withResolvers<unknown>();
      waiting.set((last += 1), asked);
      orders.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
      return asked.promise as Promise<Answer>;
    },
    on: (method, listener, sessionId) => void listeners.set(`${sessionId} ${method}`, listener),
  };
}

async function openPage<Globals>(tools: DevTools): Promise<Page<Globals>> {
  const { targetId } = await tools.ask<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await tools.ask<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
  const ask = <Answer>(method: string, params?: object) => tools.ask<Answer>(method, params, sessionId);
  const on: Listen = (method, listener) => tools.on(method, listener, sessionId);
  const complaints = await listenForComplaints(on, ask);
  const loaded = async (start: () => Promise<unknown>) => {
    const load = new Promise<void>((resolve) => on('Page.loadEventFired', () => resolve()));
    await start();
    await load;
  };
  await ask('Page.enable');
  return {
    complaints,
    open: (url) => loaded(() => ask('Page.navigate', { url })),
    reload: () => loaded(() => ask('Page.reload')),
    async keepNothing() {
      await ask('Network.enable');
      await ask('Network.setCacheDisabled', { cacheDisabled: true });
    },
    async resize(width, height) {
      await ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    },
    async addAuthenticator() {
      const kept = { hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
      await ask('WebAuthn.enable');
      await ask('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', ...kept } });
    },
    close: async () => void (await tools.ask('Target.closeTarget', { targetId })),
    async run(work, ...input) {
      const expression = `(${work.toString()})(globalThis, ...${JSON.stringify(input)})`;
      const options = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await ask<Evaluated>('Runtime.evaluate', options);
      assert.equal(describe(exceptionDetails), undefined);
      return result.value as never;
    },
  };
}

interface Thrown {
  text: string;
  exception?: { description?: string };
}
interface Evaluated {
  result: { value?: unknown };
  exceptionDetails?: Thrown;
}

const describe = (thrown?: Thrown) => thrown && `${thrown.text} ${thrown.exception?.description ?? ''}`;

type Listen = (method: string, listener: (params: never) => void) => void;

async function listenForComplaints(on: Listen, ask: (method: string) => Promise<unknown>): Promise<string[]> {
  const complaints: string[] = [];
  on('Runtime.exceptionThrown', ({ exceptionDetails }: { exceptionDetails: Thrown }) =>
    complaints.push(describe(exceptionDetails) ?? ''),
  );
  on('Log.entryAdded', ({ entry }: { entry: { source: string; text: string; url?: string } }) =>
    complaints.push(`${entry.source}: ${entry.text} ${entry.url ?? ''}`),
  );
  await ask('Runtime.enable');
  await ask('Log.enable');
  return complaints;
}
