import { aboutEndpoints } from './about.ts';
import { authEndpoints } from './auth.ts';
import { conversationEndpoints } from './conversations.ts';
import { meEndpoints } from './me.ts';

export * from './about.ts';
export * from './auth.ts';
export * from './conversations.ts';
export * from './endpoint.ts';
export * from './me.ts';

/** Every REST call that there is. What is not here is not mounted, and the other way round. */
export const endpoints = { ...authEndpoints, ...meEndpoints, ...conversationEndpoints, ...aboutEndpoints };
