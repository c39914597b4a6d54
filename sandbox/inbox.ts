import { readFile } from 'node:fs/promises';
import { type Request, type Response, Router } from 'express';
import type { Kind } from './store.ts';
import type { World } from './world.ts';

/** The page loads nothing from elsewhere, runs no script but its own, and has no style but its own. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** A mail may look as it likes, and do nothing: no script, no form, no load, no window, no origin. */
const mailPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

const files: Record<string, string> = {
  '/': 'index.html',
  '/inbox.css': 'inbox.css',
  '/inbox.js': 'inbox.js',
  '/cards.js': 'cards.js',
  '/dom.js': 'dom.js',
};

/** The page for people: what phones, mailboxes and SMS threads show, live. */
export function inbox(world: World): Router {
  const router = Router();
  for (const [path, file] of Object.entries(files)) router.get(path, page(file));
  router.get('/items/:id/mail.html', (request, response) => mail(world, request, response));
  router.get('/events', (request, response) => tell(world, request, response));
  return router;
}

const page = (file: string) => async (_request: Request, response: Response) => {
  response.setHeader('content-security-policy', pagePolicy).setHeader('x-content-type-options', 'nosniff');
  response.type(file.split('.').at(-1) ?? '').send(await readFile(new URL(`page/${file}`, import.meta.url), 'utf8'));
};

function mail({ store }: World, request: Request, response: Response): void {
  const item = store.items().find(({ id }) => id === request.params.id);
  if (item?.html === undefined) return void response.status(404).json({ code: 'not_found' });
  response.setHeader('content-security-policy', mailPolicy).setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer').type('html').send(item.html);
}

/** Server-sent events: each record as it comes or changes, by its kind. */
function tell({ store }: World, request: Request, response: Response): void {
  response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).flushHeaders();
  const say = (name: string, value: unknown) =>
    void response.write(`event: ${name}\ndata: ${JSON.stringify(value ?? null)}\n\n`);
  const onRecord = (kind: Kind, record: object) => say(kind, record);
  const onClear = () => say('clear', null);
  store.on('record', onRecord).on('clear', onClear);
  request.on('close', () => store.off('record', onRecord).off('clear', onClear));
}
