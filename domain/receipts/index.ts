export { getUnread, setUnreadMark, tellStandingMarks } from './unread.ts';
export { createReceiptLane, tellMoved, updateReceipts } from './update-receipts.ts';
