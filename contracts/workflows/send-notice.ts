import { z } from 'zod';

/** What somebody is told about their account. */
export const NoticeKind = z.enum([
  'password_forgotten',
  'password_changed',
  'new_sign_in',
  'totp_added',
  'totp_removed',
  'passkey_added',
  'passkey_removed',
  'identity_added',
  'identity_removed',
  'recovery_codes_renewed',
  'recovery_code_used',
  'factors_removed',
  'token_made',
  'contact_changed',
]);
export type NoticeKind = z.infer<typeof NoticeKind>;
/** What has happened already, and is told at every address and number that they have proved. */
export type OwnerNoticeKind = Exclude<NoticeKind, 'password_forgotten'>;
/** What was done with an account, that they must hear of whoever did it. */
export type AccountNoticeKind = Exclude<OwnerNoticeKind, 'password_changed' | 'new_sign_in'>;
/** What was done with how somebody signs in, that they must hear of, whoever did it. */
export type FactorNoticeKind = Exclude<AccountNoticeKind, 'factors_removed' | 'token_made' | 'contact_changed'>;

/** Input of `sendNotice`: which one. What it says, and to whom, never enters a history. */
export const SendNoticeInput = z.strictObject({
  noticeId: z.uuid(),
  kind: NoticeKind,
  channel: z.enum(['email', 'sms']),
});
export type SendNoticeInput = z.infer<typeof SendNoticeInput>;
export type SendNoticeOutcome = 'sent' | 'superseded' | 'undeliverable';
