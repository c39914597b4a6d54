import { ActivityFailure, isCancellation } from '@temporalio/workflow';
import type { NoticeKind, SendNoticeInput, SendNoticeOutcome } from '../contracts/workflows/send-notice.ts';
import { external } from './lib/activities.ts';

/** What has happened is worth knowing a day later, too. */
const afterwards = { firstMs: 2_000, maxMs: 600_000, giveUpMs: 2 * 86_400_000, heartbeatMs: 20_000 };
/** Who forgot a password stands and waits. */
const patience = {
  password_forgotten: { firstMs: 2_000, maxMs: 60_000, giveUpMs: 600_000, heartbeatMs: 20_000 },
  password_changed: afterwards,
  new_sign_in: afterwards,
  totp_added: afterwards,
  totp_removed: afterwards,
  passkey_added: afterwards,
  passkey_removed: afterwards,
  identity_added: afterwards,
  identity_removed: afterwards,
  recovery_codes_renewed: afterwards,
  recovery_code_used: afterwards,
  factors_removed: afterwards,
  token_made: afterwards,
  contact_changed: afterwards,
} satisfies Record<NoticeKind, unknown>;

/** Somebody is to be told about their account, at an address or number of theirs. */
export async function sendNotice(input: SendNoticeInput): Promise<SendNoticeOutcome> {
  const { channel, kind } = input;
  const call = { patience: patience[kind], urgency: 'urgent', summary: `notice by ${channel}` } as const;
  try {
    return await external(channel, call).sendNotice(input);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return 'undeliverable';
  }
}
