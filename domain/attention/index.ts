export { createArming } from './arm.ts';
export { decideEpisode } from './decide-episode.ts';
export { notify } from './notify.ts';
export { type Taken, applyReports, takeReports } from './reports.ts';
export { listSuppressions, provedByCode, resubscribe, suppressedOf, targetOf, unsubscribe } from './suppressions.ts';
export { preferencesToken, readPreferencesToken } from './preferences-token.ts';
export { summariseAway } from './summary.ts';
export { readUnsubscribeToken } from './unsubscribe-token.ts';
export { type Episodes, nudgeEpisodes, presenceEnded, startHeldEpisodes } from './relay-episodes.ts';
