import type { SyncRequest, SyncResponse } from '../../contracts/entities/index.ts';
import { limits as serverLimits } from '../../contracts/limits.ts';
import type { CatchUp } from './catch-up.ts';
import type { Conversations } from './conversations.ts';

export interface SyncParts {
  conversations: Conversations;
  catchUp: CatchUp;
  ask: (request: SyncRequest) => Promise<SyncResponse>;
}

/** What a call names, and what had been set by then: an answer to it may be older than what is set meanwhile. */
export interface Asked {
  known: SyncRequest['known'];
  settings: number;
}

/** What one call names: of what comes after an id, in the order of the ids. */
export function askedAfter(conversations: Pick<Conversations, 'known' | 'settings'>, id = ''): Asked {
  const known = conversations.known().filter(([other]) => other > id);
  return { known: known.slice(0, serverLimits.syncConversations), settings: conversations.settings };
}

/**
 * Applies a sync's answer and asks on until everything was told. Each further call names what comes after the last
 * conversation that was spoken of: the server goes through them in the order of their ids.
 */
export async function applySync(parts: SyncParts, first: SyncResponse, askedFirst: Asked): Promise<void> {
  let [page, asked] = [first, askedFirst];
  for (;;) {
    takeChanges(parts, page, asked);
    if (page.cursor === null) return;
    asked = askedAfter(parts.conversations, reached(page) ?? asked.known.at(-1)?.[0]);
    page = await parts.ask({ known: asked.known, cursor: page.cursor });
  }
}

/** The last conversation that the answer speaks of. What is lost is told out of turn. */
function reached({ standings }: SyncResponse): string | undefined {
  return standings
    .map(({ conversationId }) => conversationId)
    .sort(byText)
    .at(-1);
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);

/** Applies one page of a sync. */
export function takeChanges(
  { conversations, catchUp }: Omit<SyncParts, 'ask'>,
  { changes, standings, receipts }: SyncResponse,
  { known = [], settings }: Partial<Asked> & Pick<Asked, 'settings'>,
): void {
  const held = new Map(known.map(([id, version]) => [id, version]));
  for (const standing of standings) conversations.tellKept(standing);
  for (const { conversationId: id, how, events, state } of changes) {
    if (how === 'lost') {
      catchUp.forget(id);
      conversations.lose(id, events[0]);
    }
    // What was held has gone on since it was asked for: what the log has told is newer, and told already.
    const now = conversations.version(id);
    const isOvertaken = state !== null && now > state.conversation.version && now !== held.get(id);
    if (how === 'snapshot' && state && !isOvertaken) conversations.replace(state);
    if (how === 'events') for (const event of events) catchUp.hear(event);
    catchUp.drain(id);
  }
  for (const standing of standings) conversations.stand(standing, settings);
  for (const others of receipts) conversations.setReceipts(others);
}
