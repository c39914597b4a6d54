import { EscalateUnreadInput } from './escalate-unread.ts';
import type { workflowNames } from './names.ts';
import { SendNoticeInput } from './send-notice.ts';
import { SendVerificationInput } from './send-verification.ts';

export * from './escalate-unread.ts';
export * from './names.ts';
export * from './send-notice.ts';
export * from './send-verification.ts';

/** The input of each workflow: parsed once, before anything enters a history. */
export const workflowInputs = {
  escalateUnread: EscalateUnreadInput,
  sendVerification: SendVerificationInput,
  sendNotice: SendNoticeInput,
} satisfies Record<keyof typeof workflowNames, unknown>;
