import type { Snapshot, SyncRequest, SyncResponse } from '../../contracts/entities/index.ts';
import { limits as serverLimits } from '../../contracts/limits.ts';
import type { CatchUp } from './catch-up.ts';
import type { Conversations } from './conversations.ts';

export interface SyncParts {
  conversations: Conversations;
  catchUp: CatchUp;
  ask: (request: SyncRequest) => Promise<SyncResponse>;
}

/** What a call names, and how often something had been set by then: the answer knows nothing of what is set meanwhile. */
export interface Asked {
  known: SyncRequest['known'];
  timesSet: number;
}

/** What one call names: of what comes after an id, in the order of the ids. */
export function askedAfter(conversations: Pick<Conversations, 'known' | 'timesSet'>, id = ''): Asked {
  const known = conversations.known().filter(([other]) => other > id);
  return { known: known.slice(0, serverLimits.syncConversations), timesSet: conversations.timesSet };
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
  { known, timesSet }: Asked,
): void {
  const asked = new Map(known.map(([id, version]) => [id, version]));
  for (const standing of standings) conversations.tellKept(standing);
  for (const { conversationId: id, how, events, state } of changes) {
    if (how === 'lost') {
      catchUp.forget(id);
      conversations.lose(id, events[0]);
    }
    if (state && !isOvertaken(state, conversations.version(id), asked.get(id))) conversations.replace(state);
    if (how === 'events') for (const event of events) catchUp.hear(event);
    catchUp.drain(id);
  }
  for (const standing of standings) conversations.stand(standing, timesSet);
  for (const others of receipts) conversations.setReceipts(others);
}

/**
 * Behind what is held, because the log has gone on since it was asked for. Where it has not, the server itself is behind, as
 * after a restore, and its word stands.
 */
const isOvertaken = ({ conversation }: Snapshot, now: number, asked: number | undefined): boolean =>
  now > conversation.version && now !== asked;
