import { depsFor, requireProof, requireRole } from '../../domain/access/index.ts';
import type { Deps } from '../../domain/deps.ts';
import { type Guards, Operations } from '../operations.ts';
import { adminRoutes } from './admin.ts';
import { sessionRoutes } from './auth.ts';
import { conversationRoutes } from './conversations.ts';
import { identityRoutes } from './elsewhere.ts';
import { factorRoutes } from './factors.ts';
import { jobRoutes } from './jobs.ts';
import { meRoutes } from './me.ts';
import { memberRoutes } from './members.ts';
import { messageRoutes } from './messages.ts';
import { readStateRoutes } from './read-state.ts';
import { tokenRoutes } from './tokens.ts';

export const createGuards = (deps: Deps): Guards => ({
  depsFor: (actor, rule) => depsFor(deps, actor, rule),
  requireRole: (actor, role) => requireRole(deps.db, actor, role),
  requireProof: (actor) => requireProof(deps, actor),
});

/** Everything that somebody who is signed in may ask, whichever door they come through. */
export function createOperations(deps: Deps, options: { checkAnswers: boolean }): Operations {
  const operations = new Operations(options, createGuards(deps));
  messageRoutes(operations);
  readStateRoutes(operations);
  conversationRoutes(operations);
  memberRoutes(operations);
  meRoutes(operations);
  sessionRoutes(operations);
  factorRoutes(operations);
  identityRoutes(operations);
  tokenRoutes(operations);
  adminRoutes(operations);
  jobRoutes(operations);
  return operations;
}
