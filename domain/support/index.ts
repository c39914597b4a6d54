export { type By, listAudit } from './audit.ts';
export { maskEmail } from './mask.ts';
export { changeUserRole, createUser } from './people.ts';
export { userStory } from './story.ts';
export { explainMessage } from './why.ts';
