export { armMany, createArming } from './arm.ts';
export { decideEpisode } from './decide-episode.ts';
export { heldBackOf } from './held-back.ts';
export { notify } from './notify.ts';
export { clearScreens } from './screens.ts';
export { type Taken, applyReports, takeReports } from './reports.ts';
export { listSuppressions, provedByCode, resubscribe, suppressedOf, targetOf, unsubscribe } from './suppressions.ts';
export { readUnsubscribeToken } from './unsubscribe-token.ts';
export { type Episodes, activityEnded, nudgeEpisodes, presenceEnded, startHeldEpisodes } from './relay-episodes.ts';
