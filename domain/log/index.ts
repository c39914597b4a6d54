export { presentMessage } from './message.ts';
export { type Logged, type People, firstSeq, newMember, presentChange, presentLog } from './present.ts';
