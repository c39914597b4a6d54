import type { UserId } from '../../contracts/ids.ts';
import {
  type ClosedEpisode,
  type OpenEpisode,
  closedEpisodesAfter,
  closedEpisodesOf,
  openEpisodesAfter,
  openEpisodesOf,
} from '../../db/queries/recount-episodes.ts';
import { type Found, type Look, type Walk, before, noDifference } from './walk.ts';

/** Milliseconds without a sign of life, past the moment at which one was due, after which nobody is at work on an episode. */
const silenceMs = 600_000;
/** Milliseconds in which everything has an end: what waits for a person's hand is given up after seven days. */
const longestMs = 8 * 86_400_000;
/** Milliseconds from one round through everybody to the next. */
const roundMs = 60_000;

const first = '00000000-0000-0000-0000-000000000000';
const beforeFirst = 'first';

/** Round and round through the people who have something unread: whether somebody is at work on it. */
export const openEpisodeWalk: Walk = {
  name: 'open-episodes',
  ageMs: 0,
  kinds: ['stalled', 'unfinished'],
  // Not yet come round: the first round waits for nothing.
  start: () => beforeFirst,
  async look(tx, { cursor, through }, { now, size }): Promise<Look> {
    if (cursor === first && through > before(now, roundMs))
      return { looked: 0, agreed: 0, excused: 0, differences: [], cursor, through, more: false };
    const episodes = await openEpisodesAfter(tx, cursor === beforeFirst ? first : cursor, size);
    const more = episodes.length === size;
    const judged = judge(episodes, (episode) => faultOfOpen(episode, now));
    return { ...judged, excused: 0, cursor: more ? last(episodes) : first, through: more ? through : now, more };
  },
  async again(tx, differences, now) {
    const episodes = await openEpisodesOf(tx, [...new Set(differences.map(({ userId }) => userId))]);
    return judge(episodes, (episode) => faultOfOpen(episode, now)).differences;
  },
};

const last = (episodes: readonly OpenEpisode[]) => (episodes.at(-1) as OpenEpisode).userId;

function faultOfOpen(episode: OpenEpisode, now: Date): Found['kind'] | undefined {
  if (episode.oldestAt !== null && episode.oldestAt < before(now, longestMs)) return 'unfinished';
  const due = expectedBy(episode);
  return due !== null && due < before(now, silenceMs) ? 'stalled' : undefined;
}

/** When something was to happen to it; null where what comes next waits for a person, or for a provider under way. */
function expectedBy({ state, openedAt, startedAt, decidedAt, dueAt }: OpenEpisode): Date | null {
  if (state === 'held') return openedAt;
  return decidedAt === null ? startedAt : dueAt;
}

/** Every episode once it has ended: exactly one verdict says why. */
export const closedEpisodeWalk: Walk = {
  name: 'closed-episodes',
  ageMs: 60_000,
  kinds: ['no_outcome', 'two_outcomes'],
  start: (began) => `${began.toISOString()}/${first}`,
  async look(tx, { cursor }, { now, size }): Promise<Look> {
    const [closedAt = '', userId = ''] = cursor.split('/');
    const page = { after: { closedAt, userId }, upTo: before(now, closedEpisodeWalk.ageMs), limit: size };
    const episodes = await closedEpisodesAfter(tx, page);
    const end = episodes.at(-1);
    const next = end ? `${end.closedAt}/${end.userId}` : cursor;
    const more = episodes.length === size;
    const through = more && end ? new Date(end.closedAt) : page.upTo;
    const ended = episodes.map(({ outcome, after }) => ({ outcome: outcome ?? 'none', after }));
    return { ...judge(episodes, faultOfClosed), excused: 0, ended, cursor: next, through, more };
  },
  async again(tx, differences) {
    const keys = differences.flatMap(({ userId, episode }) => (episode === null ? [] : [{ userId, episode }]));
    return judge(await closedEpisodesOf(tx, keys), faultOfClosed).differences;
  },
};

/** One whose workflow was lost says nothing: the next one takes over what it held. */
function faultOfClosed({ verdicts, outcome }: ClosedEpisode): Found['kind'] | undefined {
  if (outcome === 'workflow-lost' || verdicts === 1) return undefined;
  return verdicts === 0 ? 'no_outcome' : 'two_outcomes';
}

function judge<Episode extends { userId: UserId; episode: number }>(
  episodes: readonly Episode[],
  faultOf: (episode: Episode) => Found['kind'] | undefined,
): Pick<Look, 'looked' | 'agreed' | 'differences'> {
  const differences = episodes.flatMap((episode): Found[] => {
    const kind = faultOf(episode);
    return kind ? [{ ...noDifference, kind, userId: episode.userId, episode: episode.episode }] : [];
  });
  return { looked: episodes.length, agreed: episodes.length - differences.length, differences };
}
