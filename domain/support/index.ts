export { type By, audit, listAudit } from './audit.ts';
export { changeUserRole, createUser } from './people.ts';
export { userStory } from './story.ts';
export { explainMessage } from './why.ts';
