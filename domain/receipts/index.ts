export { getUnread, setUnreadMark } from './unread.ts';
export { createReceiptLane, tellMoved, updateReceipts } from './update-receipts.ts';
