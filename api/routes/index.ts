import { requireRole } from '../../domain/access/index.ts';
import type { Deps } from '../../domain/deps.ts';
import { Operations } from '../operations.ts';
import { adminRoutes } from './admin.ts';
import { sessionRoutes } from './auth.ts';
import { conversationRoutes } from './conversations.ts';
import { jobRoutes } from './jobs.ts';
import { meRoutes } from './me.ts';
import { memberRoutes } from './members.ts';
import { messageRoutes } from './messages.ts';
import { readStateRoutes } from './read-state.ts';

/** Everything that somebody who is signed in may ask, whichever door they come through. */
export function createOperations(deps: Deps, options: { checkAnswers: boolean }): Operations {
  const operations = new Operations(options, (actor, role) => requireRole(deps.db, actor, role));
  messageRoutes(operations, deps);
  readStateRoutes(operations, deps);
  conversationRoutes(operations, deps);
  memberRoutes(operations, deps);
  meRoutes(operations, deps);
  sessionRoutes(operations, deps);
  adminRoutes(operations, deps);
  jobRoutes(operations, deps);
  return operations;
}
