import type { UserId } from '../../contracts/ids.ts';
import type { FactorNoticeKind, OwnerNoticeKind } from '../../contracts/workflows/send-notice.ts';
import type { Tx } from '../../db/client.ts';
import { insertNotice } from '../../db/queries/notices.ts';
import { insertOutbox } from '../../db/queries/outbox.ts';
import { type UserRow, userById } from '../../db/queries/users.ts';
import { audit } from '../audit/index.ts';
import type { Deps } from '../deps.ts';

export type Contact = { channel: 'email' | 'sms'; target: string };

/**
 * Leaves it to the durable lane to tell a person, at each address and number that they have proved, what happened to their
 * account. Where they are told is fixed now: who took an account over could change it before anything is sent.
 */
export async function tellOwner(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  user: UserRow,
  kind: OwnerNoticeKind,
): Promise<void> {
  for (const { channel, target } of provedContacts(user)) {
    const notice = { id: deps.newId(), userId: user.id, kind, channel, target, at: deps.now() };
    await insertNotice(tx, notice);
    const payload = { noticeId: notice.id, kind, channel };
    await insertOutbox(tx, { topic: 'notice.owed', userId: user.id, payload });
  }
}

/**
 * The same of who signs in otherwise from now on, in the transaction in which that is so. What they sign in with is another
 * then, which stands in the audit, too; that a recovery code was used is written down by who took it, as the last of its transaction.
 */
export async function tellOfFactor(
  tx: Tx,
  deps: Pick<Deps, 'now' | 'newId'>,
  userId: UserId,
  kind: FactorNoticeKind,
): Promise<void> {
  const user = await userById(tx, userId);
  if (user) await tellOwner(tx, deps, user, kind);
  if (kind !== 'recovery_code_used') await audit(tx, deps, { userId }, { action: 'change_factors', userId });
}

/** Whether they had proved this one. */
export const isProvedBy = (user: UserRow, { channel, target }: Contact): boolean =>
  provedContacts(user).some((each) => each.channel === channel && each.target === target);

export function provedContacts({ email, emailVerifiedAt, phone, phoneVerifiedAt }: UserRow): Contact[] {
  return [
    ...(email && emailVerifiedAt ? [{ channel: 'email' as const, target: email }] : []),
    ...(phone && phoneVerifiedAt ? [{ channel: 'sms' as const, target: phone }] : []),
  ];
}
