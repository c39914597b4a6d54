export { eventsAfter } from './events-after.ts';
export { sync } from './sync.ts';
