import { aboutEndpoints } from './about.ts';
import { adminEndpoints } from './admin.ts';
import { authEndpoints } from './auth.ts';
import { conversationEndpoints } from './conversations.ts';
import { factorEndpoints } from './factors.ts';
import { identityEndpoints } from './identities.ts';
import { jobEndpoints } from './jobs.ts';
import { meEndpoints } from './me.ts';
import { memberEndpoints } from './members.ts';
import { messageEndpoints } from './messages.ts';
import { readStateEndpoints } from './read-state.ts';
import { tokenEndpoints } from './tokens.ts';

export * from './about.ts';
export * from './admin.ts';
export * from './auth.ts';
export * from './conversations.ts';
export * from './endpoint.ts';
export * from './factors.ts';
export * from './identities.ts';
export * from './jobs.ts';
export * from './me.ts';
export * from './members.ts';
export * from './messages.ts';
export * from './read-state.ts';
export * from './tokens.ts';

/** Every REST call that there is. What is not here is not mounted, and the other way round. */
export const endpoints = {
  ...authEndpoints,
  ...factorEndpoints,
  ...identityEndpoints,
  ...tokenEndpoints,
  ...meEndpoints,
  ...conversationEndpoints,
  ...memberEndpoints,
  ...messageEndpoints,
  ...readStateEndpoints,
  ...adminEndpoints,
  ...jobEndpoints,
  ...aboutEndpoints,
};
