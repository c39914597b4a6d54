export { createArming } from './arm.ts';
export { decideEpisode } from './decide-episode.ts';
export { notify } from './notify.ts';
export { type Episodes, nudgeEpisodes, presenceEnded, startHeldEpisodes } from './relay-episodes.ts';
