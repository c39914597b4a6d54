export { messageReceipts } from './delivery.ts';
export { deleteMessage, editMessage, messageHistory } from './edit-message.ts';
export { getMessage, listMessages } from './history.ts';
export { listPins, pinMessage } from './pins.ts';
export { listReactions, setReaction } from './reactions.ts';
export { type SentMessage, forwardMessage, sendMessage } from './send-message.ts';
export { createStoreLane, sendLimits } from './store-lane.ts';
export { listReplies, listThreads, updateThread } from './threads.ts';
