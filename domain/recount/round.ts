import { isCancelled } from '../../db/errors.ts';
import type { Tx } from '../../db/client.ts';
import {
  type KeptDifference,
  type WalkPlace,
  beginWalk,
  deleteDifferences,
  differencesAfter,
  forgetDisarmed,
  insertDifferences,
  leaseWalk,
  moveWalk,
  recountBegan,
} from '../../db/queries/differences.ts';
import type { Deps } from '../deps.ts';
import type { Look, Walk } from './walk.ts';
import { againWalk, walks } from './walks.ts';

export const recountLimits = {
  /** Things in one page. */
  page: 1_000,
  /** Milliseconds that a page may take; afterwards another relay may take the walk. */
  leaseMs: 30_000,
  /** Differences of one page that are kept, and named in the log. What is beyond is counted. */
  keptPerPage: 500,
  namedPerPage: 20,
  /** Differences looked at again at once. */
  again: 200,
  /** Milliseconds before a walk that found nothing to look at is asked again. */
  restMs: 5_000,
  /** Milliseconds for which it is remembered what was taken out of what is armed. */
  rememberMs: 30 * 86_400_000,
};

export type RecountDeps = Pick<Deps, 'db' | 'now' | 'meter' | 'log'>;

/**
 * The recount, a page of one walk at a time, in turn. It shares the database with what it checks and nothing else: neither
 * code, nor Temporal, whose absence is one of the things that it is to notice. Answers with how much was looked at.
 */
export function createRecount(deps: RecountDeps): () => Promise<number> {
  const turns = [...walks.map((walk) => new Turn(walk)), new Turn('again')];
  return async () => {
    for (let n = 0; n < turns.length; n += 1) {
      const turn = turns.shift() as Turn;
      turns.push(turn);
      if (turn.rests(deps.now())) continue;
      const looked = await turn.take(deps);
      if (looked > 0) return looked;
    }
    return 0;
  };
}

/** Whose turn it is: a walk, or what was found before. */
class Turn {
  readonly #walk: Walk | 'again';
  #size = recountLimits.page;
  #restsUntil = 0;

  constructor(walk: Walk | 'again') {
    this.#walk = walk;
  }

  rests = (now: Date): boolean => now.getTime() < this.#restsUntil;

  /** A page that takes too long is tried with half as much. */
  async take(deps: RecountDeps): Promise<number> {
    try {
      const { looked, more } =
        this.#walk === 'again' ? await lookAgain(deps) : await lookAlong(deps, this.#walk, this.#size);
      this.#size = Math.min(recountLimits.page, this.#size * 2);
      if (!more) this.#restsUntil = deps.now().getTime() + recountLimits.restMs;
      return looked;
    } catch (error) {
      if (!isCancelled(error) || this.#size === 1) throw error;
      this.#size = Math.ceil(this.#size / 2);
      return 0;
    }
  }
}

/** Everything is read in one snapshot: what moves meanwhile would look like a difference. */
const inSnapshot = <T>(db: RecountDeps['db'], work: (tx: Tx) => Promise<T>): Promise<T> =>
  db.transaction(async (tx) => {
    await tx.query({ text: 'set transaction isolation level repeatable read, read only', values: [] });
    return work(tx);
  });

const nothing = { looked: 0, more: false };

async function lookAlong(deps: RecountDeps, walk: Walk, size: number): Promise<Pick<Look, 'looked' | 'more'>> {
  const place = await placeOf(deps, walk);
  if (!place) return nothing;
  const now = deps.now();
  const look = await inSnapshot(deps.db, (tx) => walk.look(tx, place, { now, size }));
  const found = await deps.db.transaction(async (tx) => {
    if (!(await moveWalk(tx, place, look))) return undefined;
    return insertDifferences(tx, look.differences.slice(0, recountLimits.keptPerPage));
  });
  if (found === undefined) return nothing;
  const { agreed, excused, ended = [] } = look;
  deps.meter.recounted(walk.name, { agreed, excused, ended, kinds: look.differences.map(({ kind }) => kind) });
  tell(deps, walk, found, look.differences.length);
  return look;
}

async function placeOf({ db }: RecountDeps, walk: Walk): Promise<WalkPlace | undefined> {
  const place = await leaseWalk(db, walk.name, recountLimits.leaseMs);
  if (place) return place;
  const began = await recountBegan(db);
  await beginWalk(db, { name: walk.name, cursor: walk.start(began), through: began });
  return leaseWalk(db, walk.name, recountLimits.leaseMs);
}

/** Ids and no content: enough to look each of them up. */
function tell({ log }: RecountDeps, walk: Walk, found: readonly KeptDifference[], all: number): void {
  if (found.length === 0) return;
  const named = found
    .slice(0, recountLimits.namedPerPage)
    .map(({ id: _, foundAt: __, ...difference }) =>
      Object.fromEntries(Object.entries(difference).filter(([, value]) => value !== null)),
    );
  log.error('the recount and the ledger do not agree', { walk: walk.name, differences: all, named });
}

/** What was found before, in its order and round again: what agrees by now is taken off the list. */
async function lookAgain(deps: RecountDeps): Promise<Pick<Look, 'looked' | 'more'>> {
  await forgetDisarmed(deps.db, recountLimits.rememberMs, recountLimits.page);
  await beginWalk(deps.db, { name: againWalk, cursor: '0', through: deps.now() });
  const place = await leaseWalk(deps.db, againWalk, recountLimits.leaseMs);
  if (!place) return nothing;
  const known = await differencesAfter(deps.db, { after: Number(place.cursor), limit: recountLimits.again });
  const healed = await inSnapshot(deps.db, (tx) => healedOf(tx, known, deps.now()));
  const more = known.length === recountLimits.again;
  await deps.db.transaction(async (tx) => {
    const cursor = more ? String(known.at(-1)?.id) : '0';
    if (await moveWalk(tx, place, { cursor, through: deps.now() })) await deleteDifferences(tx, healed);
  });
  return { looked: known.length, more };
}

async function healedOf(tx: Tx, known: readonly KeptDifference[], now: Date): Promise<number[]> {
  const still = new Set<string>();
  const byWalk = Map.groupBy(known, ({ kind }) => walks.find(({ kinds }) => kinds.some((one) => one === kind)));
  for (const [walk, differences] of byWalk)
    for (const one of (await walk?.again(tx, differences, now)) ?? []) still.add(keyOf(one));
  return known.filter((one) => !still.has(keyOf(one))).map(({ id }) => id);
}

const keyOf = ({ kind, userId, conversationId, seq, episode, attemptId }: Omit<KeptDifference, 'id' | 'foundAt'>) =>
  [kind, userId, conversationId, seq, episode, attemptId].join('/');
