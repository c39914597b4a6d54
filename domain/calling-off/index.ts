export { applyChanges, callOff } from './call-off.ts';
export { screenLimits } from './screen-limits.ts';
