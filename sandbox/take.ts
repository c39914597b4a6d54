import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import type { ProviderAnswer } from './answers.ts';
import type { Action, Verdict } from './rules.ts';
import type { Item, NewItem, Provider, RequestRecord } from './store.ts';
import type { World } from './world.ts';

/** A send as a provider understands it: who it is for, why it is refused, and what is kept of it when it is taken. */
export interface Send {
  provider: Provider;
  to: string;
  attemptId: string | null;
  refusal?: ProviderAnswer | undefined;
  /** One for each recipient. */
  items: NewItem[];
  accepted: (items: Item[]) => ProviderAnswer;
}

/** A provider's path that takes sends. */
export function sends(world: World, read: (request: Request) => Send): RequestHandler {
  return async (request, response) => {
    const send = read(request);
    const verdict = world.rules.take({ ...send, call: 'send', body: request.body });
    const taken = new Taken(world, send);
    await act(world, send.provider, verdict, request, response, {
      about: send,
      delayMs: world.magic.delayMs(send.provider, send.to),
      answer: () => taken.answer(),
      itemIds: () => taken.items.map(({ id }) => id),
      isSecret: false,
    });
  };
}

/** A provider's path that is read, or changes what was sent. Of one that hands out a secret no body is kept. */
export function others(
  world: World,
  provider: Provider,
  answer: (request: Request) => ProviderAnswer,
  isSecret = false,
): RequestHandler {
  return async (request, response) => {
    const verdict = world.rules.take({ provider, call: 'other', to: '', body: request.body });
    await act(world, provider, verdict, request, response, {
      about: { to: null, attemptId: null },
      delayMs: 0,
      answer: () => answer(request),
      itemIds: () => [],
      isSecret,
    });
  };
}

/** A send is taken once, whoever asks for its answer. */
class Taken {
  items: Item[] = [];
  readonly #world: World;
  readonly #send: Send;

  constructor(world: World, send: Send) {
    this.#world = world;
    this.#send = send;
  }

  answer(): ProviderAnswer {
    const { store, magic, lifecycles } = this.#world;
    const { provider, to, items, accepted, refusal = magic.refusal(provider, to) } = this.#send;
    if (refusal) return refusal;
    this.items = items.map((item) => store.add(item));
    for (const item of this.items) lifecycles.begin(item);
    return accepted(this.items);
  }
}

interface Work {
  about: { to: string | null; attemptId: string | null };
  delayMs: number;
  /** The real answer; asking for it takes the send. */
  answer: () => ProviderAnswer;
  itemIds: () => string[];
  /** Neither what was asked nor the answer is kept. */
  isSecret: boolean;
}

async function act(
  { store }: World,
  provider: Provider,
  verdict: Verdict | undefined,
  request: Request,
  response: Response,
  { about: { to, attemptId }, delayMs, answer, itemIds, isSecret }: Work,
): Promise<void> {
  const note = (status: RequestRecord['status'], given?: ProviderAnswer) =>
    store.note({
      ...{ provider, method: request.method, path: request.path, to, attemptId, status },
      ...{ rule: verdict?.rule.id ?? null, itemIds: itemIds() },
      ...(isSecret ? {} : { body: request.body as unknown }),
      ...(given && !isSecret ? { answer: { status: given.status, body: given.body } } : {}),
    });
  const action: Partial<Action> = verdict?.rule.action ?? {};
  if ('hang' in action) return note('hang');
  if ('cut' in action) {
    if (action.cut === 'after') answer();
    note('cut');
    return void request.socket.destroy();
  }
  const waitMs = 'delayMs' in action ? (action.delayMs ?? 0) : delayMs;
  if (waitMs > 0) await sleep(waitMs);
  const given = verdict?.answer ?? answer();
  note(given.status, given);
  if ('malformed' in action) cutShort(response, given);
  else give(response, given);
}

export function give(response: Response, { status, body, headers = {} }: ProviderAnswer): void {
  response.status(status).set(headers);
  if (typeof body === 'string') response.type('text/html').send(body);
  else if (body === undefined) response.end();
  else response.json(body);
}

/** Half of the body, as whole as its length says: what a broken proxy makes of an answer. */
function cutShort(response: Response, { status, body }: ProviderAnswer): void {
  const text = JSON.stringify(body || { message: 'accepted' });
  response
    .status(status)
    .type('json')
    .send(text.slice(0, text.length / 2));
}
