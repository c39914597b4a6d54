export { escalateUnread } from './escalate-unread.ts';
export { sendNotice } from './send-notice.ts';
export { sendVerification } from './send-verification.ts';
