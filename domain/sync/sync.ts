import type {
  ConversationEvent,
  SyncChange,
  SyncReceipts,
  SyncRequest,
  SyncResponse,
  SyncStanding,
} from '../../contracts/entities/index.ts';
import type { ConversationId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { type LogPlace, type LogRow, logAfter } from '../../db/queries/log.ts';
import { type StandingRow, type SyncCosts, notMine, othersOf, standings } from '../../db/queries/sync.ts';
import { type ReadScope, scopesOf } from '../access/index.ts';
import { presentChannels, presentWatermarks } from '../conversations/index.ts';
import { openCursor, sealCursor } from '../cursor.ts';
import type { Actor, Deps } from '../deps.ts';
import { presentLog } from '../log/index.ts';
import { withinBytes } from './budget.ts';
import { leadsOut, loadSnapshots } from './snapshots.ts';

export const syncBudget = { maxEvents: 100, snapshotCost: 100, receiptCost: 0.5, budget: 2_000 } satisfies SyncCosts;
const firstId = '00000000-0000-0000-0000-000000000000';
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Everything that moved since the versions that the client holds, over all of the actor's conversations, in the order of
 * their ids. A client with more conversations than one call takes sends them in that order too, each call those after
 * the cursor.
 */
export async function sync(
  deps: Pick<Deps, 'db' | 'mac'>,
  actor: Actor,
  { known, cursor }: SyncRequest,
): Promise<SyncResponse> {
  const after = cursor === undefined ? firstId : (openCursor(deps, 'sync', cursor)[0] ?? firstId);
  const through = reach(known);
  const rows = await standings(deps.db, actor.userId, known, {
    after,
    through,
    limit: limits.syncConversations,
    ...syncBudget,
  });
  const [all, others] = await Promise.all([changes(deps, actor, rows), receipts(deps, actor, rows)]);
  const moved = withinBytes(all);
  const cut = moved.length < all.length ? moved.at(-1)?.conversationId : undefined;
  const end = cut ?? pageEnd(rows, through);
  const mine = new Set(rows.map(({ conversationId }) => conversationId));
  // Also of what another call speaks for: whichever call names it tells that it is lost.
  const lost = await losses(
    deps,
    actor,
    known.map(([id]) => id).filter((id) => !mine.has(id)),
  );
  const isTold = ({ conversationId }: { conversationId: ConversationId }) => cut === undefined || conversationId <= cut;
  return {
    changes: [...moved, ...lost],
    standings: rows.filter(isTold).map(toStanding),
    receipts: others.filter(isTold),
    cursor: end === lastId ? null : sealCursor(deps, 'sync', [end]),
  };
}

/** How far this call can judge: a client that filled its list may hold more beyond its last entry. */
function reach(known: SyncRequest['known']): string {
  if (known.length < limits.syncConversations) return lastId;
  return known.reduce((highest, [id]) => (id > highest ? id : highest), firstId);
}

/** The last id that this answer speaks for: the whole reach, or the last row when there is more behind it. */
function pageEnd(rows: readonly StandingRow[], through: string): string {
  const last = rows.at(-1);
  return last && last.found > rows.length ? last.conversationId : through;
}

/** The state to start from is sent instead of events. */
const isWhole = ({ known, version, joinedVersion }: StandingRow): boolean =>
  known === null || known < joinedVersion || known > version || version - known > syncBudget.maxEvents;

async function changes(deps: Pick<Deps, 'db'>, actor: Actor, rows: readonly StandingRow[]): Promise<SyncChange[]> {
  const moved = rows.filter(({ known, version }) => known !== version);
  const whole = moved.filter(isWhole);
  const behind = moved.filter((row) => !whole.includes(row));
  const idsOf = (some: readonly StandingRow[]) => some.map(({ conversationId }) => conversationId);
  const [log, snapshots] = await Promise.all([logOf(deps, actor, behind), loadSnapshots(deps, actor, idsOf(whole))]);
  const events = Map.groupBy(await presentLog(deps.db, log), ({ conversationId }) => conversationId);
  const eventsOf = (id: ConversationId) => events.get(id) ?? [];
  const left = behind.filter(({ conversationId }) => leadsOut(eventsOf(conversationId), actor));
  const anew = await loadSnapshots(deps, actor, idsOf(left));
  return moved.flatMap(({ conversationId, version }): SyncChange[] => {
    const state = snapshots.get(conversationId) ?? anew.get(conversationId);
    if (state) return [{ conversationId, version: state.conversation.version, how: 'snapshot', events: [], state }];
    return asEvents(conversationId, version, eventsOf(conversationId));
  });
}

function logOf(deps: Pick<Deps, 'db'>, actor: Actor, behind: readonly StandingRow[]): Promise<LogRow[]> {
  if (behind.length === 0) return Promise.resolve([]);
  const scopes = scopesOf(actor, behind);
  const places = behind.flatMap(({ known }, nth) => placeOf(scopes[nth], known ?? 0));
  return logAfter(deps.db, actor.userId, places, syncBudget.maxEvents);
}

const placeOf = (scope: ReadScope | undefined, version: number): LogPlace[] => (scope ? [{ scope, version }] : []);

function asEvents(conversationId: ConversationId, version: number, events: ConversationEvent[]): SyncChange[] {
  // Left between two statements: the next call tells it as lost.
  if (events.length === 0) return [];
  return [{ conversationId, version: events.at(-1)?.version ?? version, how: 'events', events, state: null }];
}

function toStanding(row: StandingRow): SyncStanding {
  const { known: _, joinedSeq: _seq, joinedVersion: _version, tellsOthers: _others, found: _found, ...standing } = row;
  const mutedUntil = row.mutedUntil?.toISOString() ?? null;
  return { ...standing, mutedUntil, channels: presentChannels(row.channels) };
}

/** How far the others are, in what is not sent whole. Watermarks are outside the log, so no event brings them. */
async function receipts(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  standing: readonly StandingRow[],
): Promise<SyncReceipts[]> {
  const ids = standing.filter((row) => row.tellsOthers && !isWhole(row)).map(({ conversationId }) => conversationId);
  if (ids.length === 0) return [];
  const rows = await othersOf(deps.db, actor.userId, ids);
  const others = Map.groupBy(rows, ({ conversationId }) => conversationId);
  return ids.map((conversationId) => ({
    conversationId,
    members: (others.get(conversationId) ?? []).map(({ userId, ...row }) => ({ userId, ...presentWatermarks(row) })),
  }));
}

/** Conversations that the client holds and the actor no longer belongs to. */
async function losses(deps: Pick<Deps, 'db'>, actor: Actor, asked: readonly ConversationId[]): Promise<SyncChange[]> {
  if (asked.length === 0) return [];
  const lost = await notMine(deps.db, actor.userId, asked);
  const endings = await lastEvents(deps, actor, lost);
  return lost.map(({ id: conversationId }) => {
    const events = endings.filter((event) => event.conversationId === conversationId);
    return { conversationId, version: events[0]?.version ?? 0, how: 'lost', events, state: null };
  });
}

/** The change that ended each membership: the last one that its person is told. */
async function lastEvents(
  deps: Pick<Deps, 'db'>,
  actor: Actor,
  lost: Awaited<ReturnType<typeof notMine>>,
): Promise<ConversationEvent[]> {
  const places = lost.flatMap(({ id, leftVersion, joinedSeq }) => {
    const [scope] = scopesOf(actor, [{ conversationId: id, joinedSeq: joinedSeq ?? 0 }]);
    return leftVersion === null ? [] : placeOf(scope, leftVersion - 1);
  });
  if (places.length === 0) return [];
  return presentLog(deps.db, await logAfter(deps.db, actor.userId, places, 1));
}
