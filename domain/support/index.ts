export { explainAttempt } from './attempt.ts';
export { type OwnWords, explainMyNotification, ownWordsOf } from './my-notification.ts';
export { maskEmail } from './mask.ts';
export { changeUserRole, createUser, reactivateUser, removeFactors, suspendUser } from './people.ts';
export { rearm, reconcile, recountNow } from './reconcile.ts';
export { replayUnreadable, unreadableReports } from './unreadable.ts';
export { userStory } from './story.ts';
export { explainMessage } from './why.ts';
