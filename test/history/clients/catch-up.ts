import type { SyncRequest, SyncResponse } from '../../../contracts/entities/index.ts';
import type { View } from './view.ts';

/** Asks once; undefined where there was no answer. */
export type AskSync = (request: { known: [string, number][]; cursor?: string }) => Promise<SyncResponse | undefined>;
export type Known = SyncRequest['known'];

/** Everything that moved, page by page. False where an answer failed to come: what was told so far is kept. */
export async function syncAll(view: View, ask: AskSync, first?: SyncResponse): Promise<boolean> {
  const strangers = view.strangers();
  const { known } = view;
  let answer = first ?? (await ask({ known }));
  for (;;) {
    if (!answer) return false;
    view.take(answer);
    // The page ends with the last conversation that it tells the standing of.
    const end = answer.standings.at(-1)?.conversationId ?? '';
    if (answer.cursor === null) break;
    answer = await ask({ known: known.filter(([id]) => id > end), cursor: answer.cursor });
  }
  view.settle(strangers);
  return true;
}
