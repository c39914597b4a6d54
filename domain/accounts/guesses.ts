import type { AuditEntry } from '../../contracts/entities/index.ts';
import type { UserId } from '../../contracts/ids.ts';
import { limits } from '../../contracts/limits.ts';
import { type By, audit, bySystem } from '../audit/index.ts';
import { commit } from '../commit.ts';
import type { Actor, Deps } from '../deps.ts';
import { allow, hour } from './allowances.ts';

type GuessDeps = Pick<Deps, 'db' | 'now' | 'newId' | 'mac' | 'publishLive'>;

/** What guessing leaves in the audit: that it went too far, once an hour. An entry for each guess would be a flood. */
interface Guessing {
  key: string;
  by: By;
  action: AuditEntry['action'];
  at: readonly UserId[];
}

/** At who has proved nothing in so many tries: of the step-up, or of the password that somebody changes. */
export const auditGuesses = (
  deps: GuessDeps,
  actor: Actor,
  action: 'step_up_failures' | 'wrong_passwords',
): Promise<void> =>
  commit(deps, async (tx) => ({
    value: await auditOnce(tx, deps, { key: actor.sessionId, by: actor, action, at: [actor.userId] }),
  }));

/**
 * A wrong password where somebody signs in, from whatever address: what is limited for each of them adds up here. As much is
 * written for an identifier that is nobody's, so that the time of an answer does not tell.
 */
export const countWrongPassword = (deps: GuessDeps, identifier: string, meant: readonly UserId[]): Promise<void> =>
  commit(deps, async (tx) => {
    const unnoted = hour(`wrong-passwords:${identifier}`, limits.wrongPasswordsUnnotedPerHour);
    if (!(await allow(tx, deps, [unnoted]))) return { value: undefined };
    return {
      value: await auditOnce(tx, deps, { key: identifier, by: bySystem, action: 'wrong_passwords', at: meant }),
    };
  });

async function auditOnce(
  tx: Parameters<typeof audit>[0],
  deps: GuessDeps,
  { key, by, action, at }: Guessing,
): Promise<void> {
  if (await allow(tx, deps, [hour(`audited:${action}:${key}`, 1)])) return;
  for (const userId of at) await audit(tx, deps, by, { action, userId });
}
