import type { SyncRequest, SyncResponse } from '../../contracts/entities/index.ts';
import { limits as serverLimits } from '../../contracts/limits.ts';
import type { CatchUp } from './catch-up.ts';
import type { Conversations } from './conversations.ts';

export interface SyncParts {
  conversations: Conversations;
  catchUp: CatchUp;
  ask: (request: SyncRequest) => Promise<SyncResponse>;
}

/** The versions to name in one call: of what comes after an id, in the order of the ids. */
export const knownAfter = (conversations: Pick<Conversations, 'known'>, id = ''): SyncRequest['known'] =>
  conversations
    .known()
    .filter(([other]) => other > id)
    .slice(0, serverLimits.syncConversations);

/**
 * Applies a sync's answer and asks on until everything was told. Each further call names what comes after the last
 * conversation that was spoken of: the server goes through them in the order of their ids.
 */
export async function applySync(parts: SyncParts, first: SyncResponse, asked: SyncRequest['known']): Promise<void> {
  let [page, known] = [first, asked];
  for (;;) {
    takeChanges(parts, page);
    if (page.cursor === null) return;
    known = knownAfter(parts.conversations, reached(page) ?? known.at(-1)?.[0]);
    page = await parts.ask({ known, cursor: page.cursor });
  }
}

/** The last conversation that the answer speaks of. */
function reached({ standings, changes }: SyncResponse): string | undefined {
  return [...standings, ...changes]
    .map(({ conversationId }) => conversationId)
    .sort(byText)
    .at(-1);
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);

/** Applies one page of a sync. */
export function takeChanges(
  { conversations, catchUp }: Omit<SyncParts, 'ask'>,
  { changes, standings }: SyncResponse,
): void {
  for (const standing of standings) conversations.tellKept(standing);
  for (const { conversationId: id, how, events, state } of changes) {
    if (how === 'lost') {
      catchUp.forget(id);
      conversations.lose(id, events[0]);
    }
    if (how === 'snapshot' && state) conversations.replace(state);
    if (how === 'events') for (const event of events) catchUp.hear(event);
    catchUp.drain(id);
  }
  for (const standing of standings) conversations.stand(standing);
}
