export { getUnread, setUnreadMark } from './unread.ts';
export { createReceiptLane, updateReceipts } from './update-receipts.ts';
