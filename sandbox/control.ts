import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { Assertion, look } from './assertions.ts';
import { filters, maxWaitMs } from './filters.ts';
import { mailEventNames, mailStep } from './mail-events.ts';
import { reply, scan, unsubscribe } from './people.ts';
import { NewRule } from './rules.ts';
import { smsEventNames } from './sms-events.ts';
import type { Filter, Item, Kind, Step } from './store.ts';
import { WebhookSettings } from './webhooks.ts';
import { type World, clear } from './world.ts';

const wait = {
  count: z.coerce.number().int().min(1).max(1_000).default(1),
  timeoutMs: z.coerce.number().int().min(0).max(maxWaitMs).default(10_000),
};
const WaitQuery = z.discriminatedUnion('of', [
  filters.items.extend({ ...wait, of: z.literal('items') }),
  filters.requests.extend({ ...wait, of: z.literal('requests') }),
  filters.callbacks.extend({ ...wait, of: z.literal('callbacks') }),
]);

/** Milliseconds that the clock may be moved in one go: 31 days. */
const maxAdvanceMs = 31 * 24 * 3_600_000;
const ClockChange = z
  .strictObject({ advanceMs: z.int().min(0).max(maxAdvanceMs).optional(), stands: z.boolean().optional() })
  .refine((change) => Object.keys(change).length > 0, { message: 'must hold advanceMs or stands' });

const NewEvent = z.strictObject({
  event: z.string(),
  /** Twilio's code of why. */
  errorCode: z.int().min(10_000).max(99_999).optional(),
  /** Values in the place of SendGrid's usual ones, such as `reason`. */
  fields: z.record(z.string(), z.unknown()).optional(),
  /** SendGrid: as servers bounce that answer late, with the address and nothing of the message. */
  bare: z.boolean().optional(),
});
/** Characters of an answer that a person gives. */
const maxReply = 10_000;
const Reply = z.strictObject({ text: z.string().min(1).max(maxReply) });

/** What tests and people steer it by. */
export function control(world: World): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => void response.json({ ok: true }));
  lists(router, world);
  rules(router, world);
  webhooks(router, world);
  clock(router, world);
  people(router, world);
  return router;
}

function lists(router: Router, world: World): void {
  const { store } = world;
  const list = (path: string, kind: Kind) =>
    router.get(path, ({ query }, response) => {
      response.json({ [kind]: store.list(kind, filters[kind].parse(query) as Filter) });
    });
  list('/inbox.json', 'items');
  list('/requests.json', 'requests');
  list('/callbacks.json', 'callbacks');
  router.get('/wait', async ({ query }, response) => {
    const { of, count, timeoutMs, ...filter } = WaitQuery.parse({ of: 'items', ...query });
    const found = () => store.list(of, filter as Filter);
    const enough = await store.until(() => (found().length >= count ? found() : undefined), timeoutMs);
    if (enough) response.json({ [of]: enough });
    else response.status(408).json({ [of]: found(), waitedMs: timeoutMs });
  });
  router.post('/assert', async (request, response) => {
    const finding = await look(world, Assertion.parse(request.body));
    if (finding.holds) response.json(finding);
    else response.status(409).json({ code: 'assertion_failed', ...finding });
  });
  router.get('/export', (_request, response) => {
    const kinds: Kind[] = ['items', 'requests', 'callbacks'];
    const records = kinds.flatMap((kind) => store.list(kind).map((record) => ({ list: kind, ...record })));
    const lines = records.sort((one, other) => one.seq - other.seq).map((record) => `${JSON.stringify(record)}\n`);
    response.type('application/x-ndjson').send(lines.join(''));
  });
  router.post('/clear', (_request, response) => {
    clear(world);
    response.status(204).end();
  });
}

function rules(router: Router, { rules: all }: World): void {
  router.get('/rules', (_request, response) => void response.json({ rules: all.list() }));
  router.post('/rules', (request, response) => void response.status(201).json(all.add(NewRule.parse(request.body))));
  router.delete('/rules', (_request, response) => {
    all.remove();
    response.status(204).end();
  });
  router.delete('/rules/:id', ({ params }, response) => void response.status(all.remove(params.id) ? 204 : 404).end());
}

function webhooks(router: Router, { webhooks: engine }: World): void {
  const settings = () => ({
    targets: engine.targets,
    ...engine.knobs,
    sendGridPublicKey: engine.key.publicKey,
    twilioAuthToken: engine.authToken,
  });
  router.get('/webhooks', (_request, response) => void response.json(settings()));
  router.patch('/webhooks', (request, response) => {
    engine.set(WebhookSettings.parse(request.body));
    response.json(settings());
  });
}

function clock(router: Router, { clock: time }: World): void {
  const state = () => ({ now: time.iso(), stands: time.stands, waiting: time.waiting });
  router.get('/clock', (_request, response) => void response.json(state()));
  router.post('/clock', async (request, response) => {
    const { advanceMs, stands } = ClockChange.parse(request.body);
    if (stands === true) time.stop();
    if (stands === false) time.go();
    if (advanceMs !== undefined) await time.advance(advanceMs);
    response.json(state());
  });
}

/** What may become of one message, and what its recipient may do. The message by its id, its provider's, or its attempt's. */
function people(router: Router, world: World): void {
  const of =
    (work: (item: Item, request: Request) => Promise<unknown>) => async (request: Request, response: Response) => {
      const item = find(world, String(request.params.id));
      if (!item) return void response.status(404).json({ code: 'not_found', detail: 'No message has this id.' });
      response.json({ item, ...((await work(item, request)) as object | undefined) });
    };
  router.post(
    '/items/:id/events',
    of((item, { body }) => world.lifecycles.happen(item, stepOf(item, NewEvent.parse(body)))),
  );
  router.post(
    '/items/:id/reply',
    of(async (item, { body }) => {
      if (item.channel === 'push') throw refused('id', 'nobody can answer a push');
      await reply(world, item, Reply.parse(body).text);
    }),
  );
  router.post(
    '/items/:id/unsubscribe',
    of(async (item) => {
      const visit = await unsubscribe(world, item);
      if (!visit) throw refused('id', 'has no List-Unsubscribe header with an address of the web');
      return { visit };
    }),
  );
  router.post(
    '/items/:id/scan',
    of(async (item) => ({ visits: await scan(world, item) })),
  );
}

function find({ store }: World, id: string): Item | undefined {
  return store.items().findLast((item) => item.id === id || item.providerId === id || item.attemptId === id);
}

const eventNames = { fcm: [], sendgrid: mailEventNames, twilio: smsEventNames };

function stepOf({ provider }: Item, { event, errorCode, fields, bare }: z.infer<typeof NewEvent>): Step {
  const known: readonly string[] = eventNames[provider];
  if (!known.includes(event)) throw refused('event', `must be one of ${provider}'s: ${known.join(', ') || 'none'}`);
  if (provider === 'sendgrid') return mailStep(event, { ...fields, ...(bare ? { isBare: true } : {}) });
  return { event, ...(errorCode === undefined ? {} : { errorCode }) };
}

const refused = (field: string, message: string) =>
  new z.ZodError([{ code: 'custom', path: [field], message, input: undefined }]);
