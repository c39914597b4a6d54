export { presentMessage } from './message.ts';
export { type Logged, type Names, presentChange, presentLog } from './present.ts';
