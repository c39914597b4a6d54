import type { OwnerNoticeKind } from '../../contracts/workflows/send-notice.ts';
import type { UserId } from '../../contracts/ids.ts';
import type { Queryable, Tx } from '../client.ts';

export interface NoticeRow {
  id: string;
  userId: UserId;
  kind: OwnerNoticeKind;
  channel: 'email' | 'sms';
  target: string;
  at: Date;
}

export async function insertNotice(tx: Tx, notice: NoticeRow): Promise<void> {
  await tx.query({
    name: 'insert-notice',
    text: 'insert into notices (id, user_id, kind, channel, target, at) values ($1, $2, $3, $4, $5, $6)',
    values: [notice.id, notice.userId, notice.kind, notice.channel, notice.target, notice.at],
  });
}

export async function noticeById(db: Queryable, id: string): Promise<NoticeRow | undefined> {
  const { rows } = await db.query<NoticeRow>({
    name: 'notice-by-id',
    text: 'select id, user_id as "userId", kind, channel, target, at from notices where id = $1',
    values: [id],
  });
  return rows[0];
}

/** It was sent, or never can be. */
export async function deleteNotice(db: Queryable, id: string): Promise<void> {
  await db.query({ name: 'delete-notice', text: 'delete from notices where id = $1', values: [id] });
}
