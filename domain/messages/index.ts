export { getMessage, listMessages } from './history.ts';
export { presentMessage } from './present.ts';
export { type SentMessage, sendMessage } from './send-message.ts';
export { createStoreLane } from './store-lane.ts';
