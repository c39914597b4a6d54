import type { UserId } from '../../contracts/ids.ts';
import type { DomainEvent } from '../../contracts/events.ts';
import type { SignedIn } from '../../contracts/rest/auth.ts';
import type { Tx } from '../../db/client.ts';
import { holdActive, userById } from '../../db/queries/users.ts';
import type { Deps } from '../deps.ts';
import { DomainError } from '../errors.ts';
import { presentMe } from './present.ts';
import { type Entrance, openSession } from './sessions.ts';

/**
 * Holds whoever comes in by something of theirs until they are in, before that is touched: whoever suspends them, or takes
 * away what they come in by, holds them first, too, and so finds the session or came before it. The other way round two would
 * wait for each other.
 */
export async function holdEntrant(tx: Tx, userId: UserId): Promise<void> {
  if (!(await holdActive(tx, userId))) throw new DomainError('invalid_credentials');
}

/** A session for who has proved enough, with what is told of older ones that gave way to it. */
export async function enter(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId' | 'tokens' | 'mac'>,
  userId: UserId,
  entrance: Entrance & { secondFactor: boolean },
): Promise<{ value: SignedIn; events: DomainEvent[] }> {
  const user = await userById(tx, userId);
  if (user?.status !== 'active') throw new DomainError('invalid_credentials');
  const { session, ended } = await openSession(tx, deps, userId, entrance);
  const events: DomainEvent[] = ended.length > 0 ? [{ type: 'session.ended', userId, sessionIds: ended }] : [];
  return { value: { user: presentMe(user), session }, events };
}
