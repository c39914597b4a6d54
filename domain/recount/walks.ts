import { attemptWalk } from './attempts.ts';
import { closedEpisodeWalk, openEpisodeWalk } from './episodes.ts';
import { messageWalk } from './messages.ts';
import type { Walk } from './walk.ts';

const [minute, hour] = [60_000, 3_600_000];

/**
 * Messages twice: soon, so that who was forgotten is found while it helps; and after a day, when everybody is told or has a
 * reason (P11). Attempts likewise; by then what never got an answer was settled.
 */
export const walks: readonly Walk[] = [
  messageWalk('messages', 10 * minute),
  messageWalk('messages-after-a-day', 24 * hour),
  openEpisodeWalk,
  closedEpisodeWalk,
  attemptWalk('attempts', 10 * minute, { ends: false }),
  attemptWalk('attempts-after-a-day', 26 * hour, { ends: true }),
];

/** Round and round through what was found. */
export const againWalk = 'differences';

/** Milliseconds that a walk is behind by its nature. */
export const ageOfWalk = (name: string): number => walks.find((walk) => walk.name === name)?.ageMs ?? 0;
