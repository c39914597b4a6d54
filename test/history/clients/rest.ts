import type { SyncResponse } from '../../../contracts/entities/index.ts';
import type { Operation } from '../record.ts';
import type { Outcome } from '../recorder.ts';
import { syncAll } from './catch-up.ts';
import { type Client, type ClientOptions, clientLimits } from './client.ts';
import { fetchBody, outcomeOf, restCall } from './requests.ts';
import { View } from './view.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** A client without a socket: it asks for everything, and looks from time to time. */
export function openRest({ who, person, url, recorder }: ClientOptions): Client {
  const view = new View(who, person.id, recorder);

  const perform = (operation: Operation): Promise<Outcome> => {
    if (operation.what === 'sync') throw new Error('a client syncs by itself');
    return recorder.attempt(who, operation, async () =>
      outcomeOf(operation, await fetchBody(url, person.token, restCall(operation))),
    );
  };

  const askSync = async (request: object): Promise<SyncResponse | undefined> => {
    let response: SyncResponse | undefined;
    await recorder.attempt(who, { what: 'sync' }, async () => {
      const answered = await fetchBody(url, person.token, ['POST', '/v1/sync', request]);
      if (answered.status === 200) response = answered.body as SyncResponse;
      return outcomeOf({ what: 'sync' }, answered);
    });
    return response;
  };

  let last: Promise<unknown> = Promise.resolve();
  /** One after another: of two that are under way the older may be answered last, from before what the younger told. */
  const sync = (): Promise<boolean> => {
    const mine = last.then(() => syncAll(view, askSync));
    last = mine.catch(() => undefined);
    return mine;
  };
  const poll = async (): Promise<void> => void (await sync());
  return {
    ...{ who, person, url, door: 'rest', conversations: view.conversations, perform, poll },
    async open() {
      while (!(await sync())) await sleep(clientLimits.againMs);
    },
    // Nothing of it is open between two requests.
    cut: () => false,
    close() {},
  };
}
