export { eventsAfter } from './events-after.ts';
export { presentLogRow } from './present.ts';
export { sync } from './sync.ts';
