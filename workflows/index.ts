export { escalateUnread } from './escalate-unread.ts';
export { sendVerification } from './send-verification.ts';
