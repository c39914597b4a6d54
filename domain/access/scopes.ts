import type { Actor } from '../deps.ts';
import { DomainError } from '../errors.ts';
import type { Needed } from './policy.ts';

/** Whether whoever asks may, by what they came in with: a session may all that its person may, a token what it is for. */
export const hasScope = ({ scopes }: Pick<Actor, 'scopes'>, needed: Needed): boolean =>
  scopes === undefined || (needed !== 'session' && scopes.has(needed));

/** Refuses a token that is not for this. What its person may is judged besides. */
export function requireScope(actor: Pick<Actor, 'scopes'>, needed: Needed): void {
  if (!hasScope(actor, needed)) throw insufficient(needed);
}

const insufficient = (needed: Needed): DomainError =>
  needed === 'session'
    ? new DomainError('insufficient_scope', {
        detail: 'No token is enough for this: it is done by a person who has signed in.',
      })
    : new DomainError('insufficient_scope', {
        detail: `This token has not the scope ${needed}. Make one that has it: POST /v1/me/tokens, or of a bot POST /v1/bots/{id}/tokens.`,
        scope: needed,
      });
